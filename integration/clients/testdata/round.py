"""A round with Python's imaplib: python3 round.py HOST PORT HOST PORT USER PASSWORD. Fails with an assertion."""
import datetime
import imaplib
import sys
import time

host1, port1, host2, port2, user, password = sys.argv[1:]


def ok(answer):
    kind, data = answer
    assert kind == "OK", answer
    return data


def login(host, port):
    m = imaplib.IMAP4(host, int(port))
    ok(m.login(user, password))
    return m


one, other = login(host1, port1), login(host2, port2)
assert "IMAP4REV1" in one.capabilities, one.capabilities

# Mailboxes: made on one node, there on the other.
ok(one.create('"Work/Reports 2026"'))
ok(one.subscribe('"Work/Reports 2026"'))
assert any(b"Work/Reports 2026" in line for line in ok(other.list('""', '"*"')))
assert any(b"Work/Reports 2026" in line for line in ok(other.lsub('""', '"*"')))
assert not any(b"Reports" in line for line in ok(other.list('""', "%")))
ok(other.rename('"Work/Reports 2026"', "Archive26"))
assert one.status('"Work/Reports 2026"', "(MESSAGES)")[0] == "NO"
assert b"MESSAGES 0" in ok(one.status("Archive26", "(MESSAGES UIDNEXT UIDVALIDITY UNSEEN RECENT)"))[0]

# APPEND with flags, a keyword and a date, as it was sent; two nodes give rising UIDs.
when = datetime.datetime(2026, 2, 3, 4, 5, 6, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
text = b"From: a@example.org\r\nSubject: %d\r\n\r\nbody %d, 8 bit: \xe9\r\n"
for i in range(6):
    ok((one, other)[i % 2].append("Archive26", r"(\Seen $Label)", imaplib.Time2Internaldate(when), text % (i, i)))
assert ok(one.select("Archive26")) == [b"6"]
assert ok(other.select("Archive26")) == [b"6"]
assert one.response("UIDVALIDITY") == other.response("UIDVALIDITY")

got = ok(other.fetch("1:*", "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])"))
bodies = [part[1] for part in got if isinstance(part, tuple)]
assert bodies == [text % (i, i) for i in range(6)], bodies
assert b'INTERNALDATE " 3-Feb-2026 02:05:06 +0000"' in got[0][0], got[0]
assert b"$Label" in got[0][0] and b"RFC822.SIZE %d" % len(bodies[0]) in got[0][0], got[0]
assert ok(other.fetch("2", "(BODY.PEEK[TEXT]<5.1>)"))[0][1] == b"1"
assert b"ENVELOPE" in ok(other.fetch("3", "(ENVELOPE BODYSTRUCTURE)"))[0]

# SEARCH.
assert ok(one.search(None, "SUBJECT", "3")) == [b"4"]
assert ok(one.search("UTF-8", "BODY", '"body 2"')) == [b"3"]
assert ok(one.uid("SEARCH", None, "KEYWORD $Label SENTSINCE 1-Jan-1970 NOT DELETED"))
assert ok(one.search(None, "ON", "3-Feb-2026", "SEEN")) == [b"1 2 3 4 5 6"]

# Flags; the other session is told, and keeps its numbers until it is.
ok(one.store("2", "+FLAGS", r"(\Deleted)"))
ok(one.uid("STORE", "3", "FLAGS.SILENT", r"(\Flagged)"))
assert ok(one.expunge()) == [b"2"]
assert b"Subject: 3" in ok(other.fetch("4", "(BODY.PEEK[HEADER])"))[0][1]
ok(other.noop())
assert other.response("EXPUNGE")[1] == [b"2"]
assert b"Subject: 3" in ok(other.fetch("3", "(BODY.PEEK[HEADER])"))[0][1]

# COPY and MOVE to a mailbox that has to be made first.
kind, data = one.copy("1:2", "Copies")
assert kind == "NO" and b"TRYCREATE" in data[0], data
ok(one.create("Copies"))
ok(one.copy("1:2", "Copies"))
ok(other.uid("MOVE", "6", "Copies"))
assert ok(one.select("Copies", readonly=True)) == [b"3"]
kind, _ = one.store("1", "+FLAGS", r"(\Deleted)")
assert kind == "NO"
ok(one.unselect())

# IDLE, which imaplib has no name for in all versions.
ok(one.select("Archive26"))
tag = one._new_tag()
one.send(tag + b" IDLE\r\n")
assert one.readline().startswith(b"+")
ok(other.append("Archive26", None, None, text % (9, 9)))
began = time.monotonic()
line = one.readline()
assert line.endswith(b"EXISTS\r\n"), line
assert time.monotonic() - began < 5
one.send(b"DONE\r\n")
while not (line := one.readline()).startswith(tag):
    pass
assert b"OK" in line, line

ok(one.close())
ok(other.delete("Copies"))
ok(other.unsubscribe('"Work/Reports 2026"'))
assert one.logout()[0] == "BYE"
assert other.logout()[0] == "BYE"
print("done")
