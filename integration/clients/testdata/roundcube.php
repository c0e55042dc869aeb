<?php
// A round with the managesieve plugin of Roundcube: php roundcube.php PLUGIN HOST PORT USER PASSWORD. Ends with an exception.
// What the plugin's pages do, its classes do: scripts are read, changed as rules, and stored.

function check($what, $ok, $seen = null)
{
    if (!$ok) {
        throw new Exception($what . ': ' . var_export($seen, true));
    }
}

[, $plugin, $host, $port, $user, $password] = $argv;
error_reporting(E_ALL & ~E_DEPRECATED);
require_once 'Net/Sieve.php';
require_once $plugin . '/lib/Roundcube/rcube_sieve.php';
require_once $plugin . '/lib/Roundcube/rcube_sieve_script.php';

$tls = ['ssl' => ['verify_peer' => false, 'verify_peer_name' => false, 'allow_self_signed' => true]];
$connect = function ($password) use ($host, $port, $user, $tls) {
    return new rcube_sieve($user, $password, $host, $port, null, true, [], false, null, null, $tls);
};

check('a wrong password', $connect('wrong')->error() === rcube_sieve::ERROR_LOGIN);

$sieve = $connect($password);
check('login', $sieve->error() === false, $sieve->error());
foreach (['fileinto', 'vacation', 'imap4flags', 'regex', 'relational', 'date', 'variables', 'body', 'copy', 'reject', 'mailbox'] as $extension) {
    check('extension ' . $extension, in_array($extension, $sieve->get_extensions()), $sieve->get_extensions());
}
check('no scripts at first', $sieve->get_scripts() === [], $sieve->get_scripts());

// A script of rules, as the page for filters makes it.
check('a new script', $sieve->save_script('roundcube', '') !== null);
$sieve->script = new rcube_sieve_script('', $sieve->get_extensions());
$sieve->current = 'roundcube';
$sieve->script->add_rule([
    'name' => 'Lists "and" more', 'disabled' => false, 'join' => false,
    'tests' => [
        ['test' => 'header', 'not' => false, 'type' => 'contains', 'arg1' => ['list-id', 'subject'], 'arg2' => 'Grüße'],
        ['test' => 'size', 'not' => false, 'type' => 'over', 'arg' => '100K'],
    ],
    'actions' => [
        ['type' => 'fileinto', 'target' => 'Listen/Günther', 'copy' => false],
        ['type' => 'addflag', 'target' => ['\\Seen', '$Work']],
        ['type' => 'stop'],
    ],
]);
$sieve->script->add_rule([
    'name' => 'Away', 'disabled' => false, 'join' => true, 'tests' => [['test' => 'true', 'not' => false]],
    'actions' => [['type' => 'vacation', 'days' => 7, 'subject' => 'Away', 'reason' => "Back on Monday.\nReally.", 'addresses' => [$user]]],
]);
check('saving rules', $sieve->save() === true, [$sieve->error(), $sieve->get_error_lines(), $sieve->script->as_text()]);
check('activating', $sieve->activate('roundcube') === true, $sieve->error());

// Another request, as a page that was opened later.
$sieve = $connect($password);
check('the active script', $sieve->get_active() === 'roundcube', $sieve->get_active());
check('loading', $sieve->load('roundcube') === true, $sieve->error());
$rules = $sieve->script->as_array();
check('two rules', count($rules) === 2 && $rules[0]['name'] === 'Lists "and" more', $rules);
check('the umlauts', $rules[0]['tests'][0]['arg2'] === 'Grüße' && $rules[0]['actions'][0]['target'] === 'Listen/Günther', $rules[0]);
check('the text', $rules[1]['actions'][0]['reason'] === "Back on Monday.\nReally.", $rules[1]);

// A mistake is told with its line, and nothing is stored.
check('a wrong script', $sieve->save_script('roundcube', "keep;\r\nfileinto \"x\";\r\n") === false);
check('its line', array_column($sieve->get_error_lines(), 'line') == [2], $sieve->get_error_lines());
check('the old script', strpos($sieve->get_script('roundcube'), 'Günther') !== false);

check('a copy', $sieve->copy('copy', 'roundcube') === true, $sieve->error());
check('deactivating', $sieve->deactivate() === true, $sieve->error());
check('removing', $sieve->remove('roundcube') === true, $sieve->error());
$sieve = $connect($password);
check('one is left', $sieve->get_scripts() === ['copy'] && !$sieve->get_active(), $sieve->get_scripts());
check('removing the copy', $sieve->remove('copy') === true, $sieve->error());
echo "done\n";
