package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExampleGivesDefaults(t *testing.T) {
	path := write(t, "rookery.toml", Example())
	c, err := Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.File = ""
	if want := Defaults(); !reflect.DeepEqual(c, want) {
		t.Errorf("the example gives\n%+v\nthe defaults are\n%+v", c, want)
	}
	lines := keyLines([]byte(Example()))
	for _, k := range keys {
		if lines[k.name] == 0 {
			t.Errorf("%s is not in the example", k.name)
		}
	}
}

func TestEveryKeyIsDocumentedAndHasAVariableOfItsOwn(t *testing.T) {
	seen := map[string]string{}
	for _, k := range keys {
		if len(k.doc) < 10 || !strings.HasSuffix(k.doc, ".") {
			t.Errorf("%s: doc %q", k.name, k.doc)
		}
		for _, line := range strings.Split(k.doc, "\n") {
			if len(line) > 120 {
				t.Errorf("%s: a line of %d characters", k.name, len(line))
			}
		}
		if other, ok := seen[k.env()]; ok {
			t.Errorf("%s and %s share %s", k.name, other, k.env())
		}
		seen[k.env()] = k.name
	}
	for env, name := range map[string]string{
		"ROOKERY_IMAP_LISTEN": "imap.listen", "ROOKERY_METADATA": "metadata", "ROOKERY_BLOBS": "blobs", "ROOKERY_NOTIFY": "notify",
		"ROOKERY_DATA_DIR": "data_dir", "ROOKERY_DEFAULT_DOMAIN": "default_domain", "ROOKERY_METADATA_FILE": "metadata_file",
	} {
		if seen[env] != name {
			t.Errorf("%s is %q, want %q", env, seen[env], name)
		}
	}
}

// Each key is read from the environment and from a file alike.
func TestEveryKeyFromFileAndEnvironment(t *testing.T) {
	file := write(t, "file", "x")
	url := write(t, "url", "file:/elsewhere\n")
	values := map[string]string{
		"data_dir": "/var/lib/rookery", "hostname": "mail.example.org", "default_domain": "example.org", "delimiter": "-", "detail_mailbox": "true",
		"shutdown_timeout": "5s", "metadata": "postgresql://u:p@h:5432/d", "blobs": "s3://k:s@h:9000/b?tls=false", "blobs_file": url,
		"notify": "redis://h:6379/0", "lanes": "7",
		"imap.listen": "127.0.0.1:143", "imaps.listen": "", "pop3.listen": "[::1]:110", "pop3s.listen": "localhost:995", "managesieve.listen": "localhost:4190",
		"imap.literal_minus": "true", "imap.login_timeout": "30s", "imap.idle_timeout": "1h", "imap.stream_timeout": "1m",
		"imap.write_timeout": "30s", "imap.failed_logins": "3", "imap.bad_commands": "4",
		"lmtp.listen": "unix:/run/rookery/lmtp", "lmtp.over_quota": "permanent", "lmtp.trusted_networks": "127.0.0.1", "http.listen": ":80",
		"imap.administrators": "a@example.org,b@example.org", "quota.grace": "5", "quota.warnings": "70%,90",
		"imap.submit_users": "submit@example.org", "imap.contact": "mailto:a@example.org", "auth.allow_plaintext": "true", "proxy.listeners": "imap,lmtp", "proxy.networks": "10.0.0.0/8,2001:db8::1", "limits.message_size": "20 MiB", "limits.recipients": "100", "limits.command": "8192",
		"limits.messages_per_command": "1000", "limits.messages_per_save": "2000",
		"limits.connections": "10", "limits.connections_per_account": "11", "limits.connections_per_address": "12",
		"limits.connection_rate": "15", "limits.message_rate": "16", "lmtp.trusted_message_rate": "17", "lmtps.listen": ":2425", "limits.mailboxes": "13", "limits.database_connections": "14", "cache.memory": "1048576", "cache.views": "2MB", "cache.envelopes": "3MB", "cache.disk": "2GB", "log.level": "debug", "log.format": "json",
		"pop3.login_delay": "1m", "pop3.read_ahead": "32MiB", "outbound.submission": "smtp://u:p@h", "outbound.expire": "24h", "sieve.scripts": "3", "sieve.script_size": "5KiB", "sieve.total_size": "6KiB",
		"sieve.redirects": "2", "spam.standard_script": "false", "spam.header": "X-Score", "spam.limit": "15",
		"sieve.lists": "tag:a=/etc/b", "sieve.redirect_lists": "tag:c=d@example.org", "sieve.virus_verdicts": "X-Virus:yes=5",
		"sieve.mailbox_scripts": "false", "sieve.imap_events": `Junk=s,INBOX>Work/*=t`, "spam.rspamd_url": "http://127.0.0.1:11334", "spam.rspamd_password": "x y",
	}
	alone := map[string]bool{"tls.cert": true, "tls.key": true, "metadata_file": true, "notify_file": true, "outbound.submission_file": true, "spam.rspamd_password_file": true} // tested below
	for _, k := range keys {
		v, ok := values[k.name]
		if !ok {
			if !alone[k.name] {
				t.Errorf("%s is not tested", k.name)
			}
			continue
		}
		fromEnv, err := Load(os.DevNull, []string{k.env() + "=" + v})
		if err != nil {
			t.Errorf("%s=%s: %v", k.env(), v, err)
			continue
		}
		quoted := `"` + v + `"`
		switch k.def[0] {
		case '[':
			quoted = `["` + strings.ReplaceAll(v, ",", `","`) + `"]`
		case '"':
		default:
			quoted = v
		}
		fromFile, err := Load(write(t, "c.toml", k.name+" = "+quoted), nil)
		if err != nil {
			t.Errorf("%s = %s: %v", k.name, quoted, err)
			continue
		}
		fromEnv.File, fromFile.File = "", ""
		if !reflect.DeepEqual(fromEnv, fromFile) {
			t.Errorf("%s: environment gives %+v, file %+v", k.name, fromEnv, fromFile)
		}
		if reflect.DeepEqual(fromEnv, Defaults()) {
			t.Errorf("%s = %s changes nothing", k.name, v)
		}
	}
	c, err := Load(os.DevNull, []string{"ROOKERY_TLS_CERT=" + file, "ROOKERY_TLS_KEY=" + file})
	if err != nil || c.TLSCert != file || c.TLSKey != file {
		t.Errorf("tls: %+v, %v", c, err)
	}
}

func TestOrder(t *testing.T) {
	path := write(t, "rookery.toml", "lanes = 2\nshutdown_timeout = \"3s\"\nmetadata_file = \"/nowhere\"\n")
	c, err := Load("", []string{"ROOKERY_CONFIG=" + path, "ROOKERY_LANES=9", "ROOKERY_METADATA=sqlite:/x", "HOME=/root", "ROOKERY_TEST_X=1"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Lanes != 9 || c.ShutdownTimeout != 3*time.Second || c.Metadata != "sqlite:/x" || c.File != path {
		t.Errorf("%+v", c)
	}
	if d := Defaults(); c.IMAP != d.IMAP {
		t.Errorf("imap.listen %q", c.IMAP)
	}
}

func TestSecretsFromFiles(t *testing.T) {
	secret := write(t, "url", "postgresql://rookery:hunter2@db:5432/rookery\n")
	c, err := Load(write(t, "c.toml", "metadata_file = "+`"`+secret+`"`+"\nmetadata = \"\""), nil)
	if err != nil || c.Metadata != "postgresql://rookery:hunter2@db:5432/rookery" || c.SQLite() {
		t.Fatalf("%+v, %v", c, err)
	}
	c, err = Load(write(t, "c.toml", `metadata = "sqlite:/a"`), []string{"ROOKERY_METADATA_FILE=" + secret})
	if err != nil || !strings.HasPrefix(c.Metadata, "postgresql:") {
		t.Fatalf("%+v, %v", c, err)
	}
}

func TestDerivedFromDataDir(t *testing.T) {
	c, err := Load(os.DevNull, []string{"ROOKERY_DATA_DIR=/srv/mail"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Metadata != "sqlite:/srv/mail/metadata.sqlite" || c.Blobs != "file:/srv/mail/blobs" || !c.Embedded() {
		t.Errorf("%+v", c)
	}
}

func TestRefused(t *testing.T) {
	leak := write(t, "url", "mysql://root:hunter2@db/x")
	for _, tc := range []struct {
		file string
		env  []string
		want string // FILE stands for the file's path
	}{
		{file: "lanes = 1\nimap.lisen = \":143\"", want: "FILE:2: imap.lisen: unknown key, did you mean imap.listen?"},
		{file: "[imap]\nlisten = \":143\"\nxyzzy = 1", want: "FILE:3: imap.xyzzy: unknown key"},
		{file: "[imap]\n", want: ""},
		{file: "[nothing]\n", want: "FILE:1: nothing: unknown key"},
		{file: "imap = \"x\"", want: "FILE:1: imap: is a section; expected [imap]"},
		{file: "lanes = \"x\n", want: "FILE:1: is not TOML"},
		{file: "lanes = 1\nlanes = 2\n", want: "FILE:2: is not TOML"},
		{file: "\n\nlanes = \"4\"", want: `FILE:3: lanes: "4" is not right; expected a whole number from 1 to 64`},
		{file: "lanes = 0", want: "expected a whole number from 1 to 64"},
		{file: "lanes = 1.5", want: "FILE:1: lanes: 1.5 is not right"},
		{file: "shutdown_timeout = 30", want: `FILE:1: shutdown_timeout: 30 is not right; expected a duration such as "30s"`},
		{file: "shutdown_timeout = \"-1s\"", want: "expected a duration"},
		{file: "[imap]\nlisten = \"localhost\"", want: `FILE:2: imap.listen: "localhost" is not right; expected host:port`},
		{file: "[imap]\nlisten = \"a:99999\"", want: "expected host:port"},
		{file: "[imap]\nlisten = \"unix:/x\"", want: "expected host:port"},
		{file: "[imap]\ncontact = \"postmaster\"", want: `FILE:2: imap.contact: "postmaster" is not right; expected a URI`},
		{file: "[imap]\nlisten = 143", want: "expected a string in quotes"},
		{file: "[lmtp]\nlisten = \"unix:x\"", want: "expected unix: and an absolute path"},
		{file: "[lmtp]\nlisten = \"x\"", want: "unix:/PATH"},
		{file: "imap = { listen = \"a\" }", want: "FILE:1: imap.listen"},
		{file: "[imap]\nlisten = \":143\"\n[imaps]\nlisten = \":143\"", want: `FILE:4: imaps.listen: ":143" is the address of imap.listen already`},
		{file: "[log]\nlevel = \"loud\"", want: "expected debug, info, warn or error"},
		{file: "[auth]\nallow_plaintext = \"true\"", want: "expected true or false"},
		{file: "[limits]\nmessage_size = \"many\"", want: "expected a number of bytes"},
		{file: "[limits]\nmessage_size = 1", want: "at least 1024"},
		{file: "[cache]\ndisk = \"99999999TiB\"", want: "expected a number of bytes"},
		{file: "default_domain = \"a b\"", want: "expected a domain name"},
		{file: "default_domain = \"\"", want: "expected a domain name"},
		{file: "delimiter = \"++\"", want: "expected one character"},
		{file: "data_dir = \"\"", want: "expected a path"},
		{file: "[tls]\ncert = \"/nowhere/cert.pem\"\nkey = \"/nowhere/key.pem\"", want: "FILE:2: tls.cert: \"/nowhere/cert.pem\" is not right; expected a file that can be read"},
		{file: "[tls]\ncert = \"/dev/null\"", want: "FILE:2: tls.cert: is given alone"},
		{file: "metadata = \"mysql://root:hunter2@db/x\"", want: "FILE:1: metadata: its value (not shown) is not right; expected sqlite:PATH"},
		{file: "blobs = \"s3://k:hunter2@host\"", want: "FILE:1: blobs: its value (not shown) is not right"},
		{file: "blobs = \"s3://k:hunter2/%zz@host/b\"", want: "expected file:PATH or s3://"},
		{file: "notify = \"redis://:hunter2@host/x\"", want: "expected local: or redis://HOST:PORT/DB"},
		{file: "metadata_file = \"/nowhere\"", want: `FILE:1: metadata_file: "/nowhere" is not right; expected a file that can be read`},
		{file: "metadata_file = \"" + leak + "\"", want: "expected a file that holds sqlite:PATH"},
		{file: "blobs = \"file:/x\"\nblobs_file = \"/y\"", want: "FILE:2: blobs_file: blobs and blobs_file are both given"},
		{file: "[outbound]\nsubmission = \"smtp://u:hunter2@host?tls=none\"", want: "FILE:2: outbound.submission: its value (not shown) is not right"},
		{file: "[spam]\nheader = \"X Y\"", want: "expected the name of a header field"},
		{file: "[spam]\nrspamd_url = \"127.0.0.1:11334\"", want: "expected a URL such as"},
		{file: "[sieve]\nimap_events = [\"Junk\"]", want: "expected an array of rules such as"},
		{file: "[sieve]\nimap_events = [\">Junk=s\"]", want: "expected an array of rules such as"},
		{file: "[sieve]\nlists = [\"staff=/x\"]", want: "expected an array of lists such as"},
		{file: "[sieve]\nlists = [\"tag:a=x\"]", want: "expected an array of lists such as"},
		{file: "[sieve]\nlists = [\":addrbook:default=/x\"]", want: "expected an array of lists such as"},
		{file: "[sieve]\nlists = [\"tag:a=/x\"]\nredirect_lists = [\"TAG:a=/y\"]", want: "FILE:3: sieve.redirect_lists: tag:a is given twice"},
		{file: "[sieve]\nvirus_verdicts = [\"X-Virus-Status: infected=6\"]", want: "expected an array of verdicts such as"},
		{env: []string{"ROOKERY_SIEVE_LISTS=tag:example.org,2026:a=/x  tag:example.org,2026:b=b@example.org"}},
		{env: []string{"ROOKERY_IMAP_LISTEN=nonsense"}, want: `ROOKERY_IMAP_LISTEN: imap.listen: "nonsense" is not right; expected host:port`},
		{env: []string{"ROOKERY_IMAP_LISEN=:143"}, want: "ROOKERY_IMAP_LISEN: is no key of Rookery's, did you mean ROOKERY_IMAP_LISTEN?"},
		{env: []string{"ROOKERY_METADATA=oracle://x:hunter2@y"}, want: "ROOKERY_METADATA: metadata: its value (not shown)"},
		{env: []string{"ROOKERY_LANES=many"}, want: "ROOKERY_LANES: lanes: \"many\" is not right; expected a whole number"},
	} {
		path := write(t, "rookery.toml", tc.file)
		c, err := Load(path, tc.env)
		if tc.want == "" {
			if err != nil {
				t.Errorf("%q is refused: %v", tc.file, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%q %v is accepted: %+v", tc.file, tc.env, c)
			continue
		}
		if want := strings.ReplaceAll(tc.want, "FILE", path); !strings.Contains(err.Error(), want) {
			t.Errorf("%q %v:\n got %v\nwant %s", tc.file, tc.env, err, want)
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("a password is shown: %v", err)
		}
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, err := Load(write(t, "c.toml", "lanes = 0\nwhat = 1\n[log]\nlevel = \"loud\""), []string{"ROOKERY_NONSENSE=1"})
	p, ok := err.(*Problems) //nolint:errorlint // the type is promised
	if !ok || len(p.List) != 4 {
		t.Errorf("%v", err)
	}
}

func TestUnreadableFile(t *testing.T) {
	_, err := Load("/nowhere/rookery.toml", nil)
	if err == nil || !strings.Contains(err.Error(), "/nowhere/rookery.toml: cannot be read: no such file") {
		t.Errorf("%v", err)
	}
	if _, err = Load(t.TempDir(), nil); err == nil {
		t.Error("a directory is accepted")
	}
}

func TestDefaultFileIsOptional(t *testing.T) {
	t.Chdir(t.TempDir())
	c, err := Load("", nil)
	if err != nil || c.File != "" {
		t.Fatalf("%+v, %v", c, err)
	}
	if err := os.WriteFile(DefaultFile, []byte("lanes = 3"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err = Load("", nil); err != nil || c.File != DefaultFile || c.Lanes != 3 {
		t.Fatalf("%+v, %v", c, err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(Example())
	f.Add("imap = { listen = [1, {a = 2}] }\n[[x]]\ny.z = 1979-05-27\n")
	f.Add("\"imap.listen\" = \"\\u0000\"")
	f.Fuzz(func(t *testing.T, content string) {
		path := filepath.Join(t.TempDir(), "c.toml")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := Load(path, nil); err == nil && c.DataDir == "" {
			t.Error("no data_dir")
		}
	})
}
