// A round with imapflow: node round.js HOST PORT HOST PORT USER PASSWORD. Fails with an assertion.
'use strict';

const assert = require('node:assert/strict');
const { inspect } = require('node:util');
const { ImapFlow } = require('imapflow');

const [host1, port1, host2, port2, user, pass] = process.argv.slice(2);

async function login(host, port, more) {
    const client = new ImapFlow({ host, port: Number(port), secure: false, doSTARTTLS: false, auth: { user, pass }, logger: false, ...more });
    await client.connect();
    return client;
}

const letter = (subject, extra = '') => Buffer.from(
    `From: Ada <ada@example.org>\r\nTo: you@example.test\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@example.org>\r\nMIME-Version: 1.0\r\n` +
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n` +
    `Grüße, ${subject}\r\n--b\r\nContent-Type: application/octet-stream; name="a.bin"\r\nContent-Transfer-Encoding: base64\r\n` +
    `Content-Disposition: attachment; filename="a.bin"\r\n\r\n${Buffer.from('attachment of ' + subject + extra).toString('base64')}\r\n--b--\r\n`);

async function collect(iterator) {
    const all = [];
    for await (const item of iterator) {
        all.push(item);
    }
    return all;
}

async function main() {
    const one = await login(host1, port1, { qresync: true });
    const other = await login(host2, port2);

    await one.mailboxCreate(['Projekte', 'Übersicht']);
    await one.mailboxSubscribe('Projekte/Übersicht');
    const listed = await other.list({ statusQuery: { messages: true, unseen: true, uidNext: true } });
    const made = listed.find(m => m.path === 'Projekte/Übersicht');
    assert.equal(made.subscribed, true);
    assert.equal(made.status.messages, 0);
    assert.ok(listed.some(m => m.specialUse === '\\Sent'), JSON.stringify(listed.map(m => m.specialUse)));

    const box = 'Projekte/Übersicht';
    const uids = [];
    for (let i = 0; i < 4; i++) {
        const to = i % 2 ? one : other;
        uids.push((await to.append(box, letter(`letter${i}`), ['\\Seen', '$Work'], new Date('2021-02-03T04:05:06Z'))).uid);
    }
    assert.deepEqual(uids, [1, 2, 3, 4]);

    await one.mailboxOpen(box);
    await other.mailboxOpen(box);
    assert.equal(one.mailbox.exists, 4);
    const all = await collect(other.fetch('1:*', { uid: true, flags: true, envelope: true, bodyStructure: true, internalDate: true, size: true, source: true, headers: ['subject'] }));
    assert.deepEqual(all.map(m => m.envelope.subject), ['letter0', 'letter1', 'letter2', 'letter3']);
    for (const m of all) {
        assert.ok(m.source.equals(letter(m.envelope.subject)), 'source differs');
        assert.equal(m.size, m.source.length);
        assert.ok(m.flags.has('$Work'));
        assert.equal(m.internalDate.toISOString(), '2021-02-03T04:05:06.000Z');
        assert.equal(m.bodyStructure.childNodes[1].dispositionParameters.filename, 'a.bin');
    }

    // Parts, decoded by the client.
    const { content } = await other.download('2', '2', { uid: true });
    const chunks = await collect(content);
    assert.equal(Buffer.concat(chunks).toString(), 'attachment of letter1');

    // Searches.
    assert.deepEqual(await one.search({ subject: 'letter2' }, { uid: true }), [3]);
    assert.deepEqual(await one.search({ body: 'Grüße' }, { uid: true }), [1, 2, 3, 4]);
    assert.deepEqual(await one.search({ keyword: '$Work', before: new Date('2022-01-01'), not: { subject: 'letter0' } }, { uid: true }), [2, 3, 4]);
    assert.deepEqual(await one.search({ or: [{ subject: 'letter0' }, { subject: 'letter3' }] }, { uid: true }), [1, 4]);

    // Flags on one node, told on the other while it idles.
    const told = new Promise(resolve => other.on('flags', resolve));
    const gone = new Promise(resolve => other.on('expunge', resolve));
    const came = new Promise(resolve => other.on('exists', resolve));
    const idling = other.idle();
    await one.messageFlagsAdd('2', ['\\Flagged'], { uid: true });
    assert.ok((await told).flags.has('\\Flagged'));
    await one.messageDelete('1', { uid: true });
    const expunged = await gone;
    assert.ok(expunged.seq === 1 || expunged.uid === 1, inspect(expunged));
    await one.append(box, letter('letter4'));
    assert.equal((await came).count, 4);
    await other.noop();
    await idling;

    // CONDSTORE: only what changed since.
    const since = other.mailbox.highestModseq;
    await one.messageFlagsRemove('3', ['\\Seen'], { uid: true });
    await other.noop(); // what one node has done, the other shows after NOOP
    const changed = await collect(other.fetch('1:*', { uid: true, flags: true }, { changedSince: since }));
    assert.ok(changed.some(m => m.uid === 3 && !m.flags.has('\\Seen')), inspect(changed));

    // COPY, MOVE with their UID maps; a missing mailbox.
    const copied = await one.messageCopy('2:3', 'Archive', { uid: true });
    assert.equal(copied.uidMap.size, 2);
    const moved = await other.messageMove('4', 'Archive', { uid: true });
    assert.equal(moved.uidMap.size, 1);
    await other.mailboxClose();
    assert.equal((await other.status('Archive', { messages: true })).messages, 3);

    // Rename and delete.
    await one.mailboxClose();
    await one.mailboxRename(box, 'Projekte/2026');
    await other.mailboxOpen('Projekte/2026', { readOnly: true });
    assert.equal(other.mailbox.exists, 3);
    await other.mailboxClose();
    await one.mailboxDelete('Projekte/2026');
    await assert.rejects(other.mailboxOpen('Projekte/2026'));
    const quota = await one.getQuota('INBOX');
    assert.ok(quota === false || typeof quota === 'object');

    await one.logout();
    await other.logout();
    console.log('done');
}

main().catch(err => {
    console.error(err, err.response, err.responseText);
    process.exit(1);
});
