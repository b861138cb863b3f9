"""`govctl verify-chain` beside the verifiers that two packages of PyPI bring for their own tables. See README.md.

    pip install 'auditchain[postgres]==0.3.0' 'ledgerchain[postgres]==0.1.0'
    python benches/verifiers.py --govctl target/release/govctl postgresql://user@host/an_empty_database

Each table is written with its package's own functions. Then the package and govctl verify the same rows in turns, each as a
process of its own, from its start to its end; afterwards each is shown the same damage.
"""

import argparse
import asyncio
import datetime
import json
import os
import statistics
import subprocess
import sys
import time

import psycopg

BATCH = 5000
BASE = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)

# What each package calls its table, the columns that its rows are told by, and what is done to a row in its middle.
TABLES = {"auditchain": "audit_records", "ledgerchain": "decision_ledger"}
ATTACKS = {
    "auditchain": [
        ("a covered column edited", "update audit_records set subject = 'evil' where seq = {middle}"),
        ("who did it edited", "update audit_records set actor = 'evil' where seq = {middle}"),
        ("a row deleted", "delete from audit_records where seq = {middle}"),
        ("the end cut off", "delete from audit_records where seq > {end}"),
    ],
    "ledgerchain": [
        ("a covered column edited", "update decision_ledger set event_type = 'evil' where seq = {middle}"),
        ("who did it edited", "update decision_ledger set actor = '{{\"sub\": \"evil\"}}' where seq = {middle}"),
        ("a row deleted", "delete from decision_ledger where seq = {middle}"),
        (
            "the end cut off, and the head row set to it",
            "delete from decision_ledger where seq > {end}; update ledger_head set last_seq = {end}, "
            "last_hash = (select entry_hash from decision_ledger where seq = {end})",
        ),
    ],
}


def write_auditchain(url, rows):
    """Rows as `AuditLog.append_many` writes them."""
    from auditchain import AuditLog, PostgresBackend

    async def write():
        async with AuditLog(PostgresBackend(url)) as log:
            for start in range(0, rows, BATCH):
                numbers = range(start, min(start + BATCH, rows))
                await log.append_many(
                    [(f"user-{n % 50}", "doc.read", f"doc/{n % 1000}", {"n": n, "ip": f"10.0.0.{n % 250}"}) for n in numbers]
                )

    asyncio.run(write())


def write_ledgerchain(url, rows):
    """Rows with the hashes of ledgerchain's own functions, inserted many at a time."""
    import ledgerchain
    from ledgerchain.canonical import sha256_hex
    from ledgerchain.models import DecisionLedgerEntry, LedgerHead
    from ledgerchain.writer import GENESIS_PREV_HASH, compute_entry_hash
    from sqlalchemy import create_engine, insert
    from sqlalchemy.orm import Session

    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    ledgerchain.create_all(engine)
    last = GENESIS_PREV_HASH
    with Session(engine) as session:
        for start in range(1, rows + 1, BATCH):
            entries = []
            for seq in range(start, min(start + BATCH, rows + 1)):
                payload = {"n": seq, "ip": f"10.0.0.{seq % 250}"}
                entry = {
                    "seq": seq,
                    "tenant_id": f"tenant-{seq % 20}",
                    "ts": BASE + datetime.timedelta(milliseconds=1234 * seq),
                    "event_type": "doc.read",
                    "payload_sha256": sha256_hex(payload),
                    "prev_hash": last,
                }
                last = compute_entry_hash(**entry)
                actor = {"kind": "user", "sub": f"user-{seq % 50}"}
                entries.append(
                    {**entry, "payload": payload, "actor": actor, "subject_uri": f"doc/{seq % 1000}", "entry_hash": last}
                )
            session.execute(insert(DecisionLedgerEntry), entries)
        session.add(LedgerHead(id=True, last_seq=rows, last_hash=last))
        session.commit()


def verify_auditchain(url):
    """What auditchain says of its table."""
    from auditchain import AuditLog, PostgresBackend

    async def verify():
        async with AuditLog(PostgresBackend(url)) as log:
            return await log.verify()

    report = asyncio.run(verify())
    return "intact" if report.ok else f"{report.reason} (seq {report.first_error_seq})"


def verify_ledgerchain(url):
    """What ledgerchain says of its table."""
    from ledgerchain import verify_chain
    from sqlalchemy import create_engine
    from sqlalchemy.orm import Session

    with Session(create_engine(url.replace("postgresql://", "postgresql+psycopg://"))) as session:
        result = verify_chain(session)
    return "intact" if result.valid else f"{result.reason} (seq {result.first_bad_seq})"


def measured(command):
    """What a process prints, its seconds, and the most memory it had, in megabytes."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    said = process.stdout.read()
    _, _, usage = os.wait4(process.pid, 0)
    # Linux counts kilobytes, macOS bytes.
    scale = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return said.strip(), time.perf_counter() - start, usage.ru_maxrss / scale


def said_by_govctl(text):
    """The verdict of a report in JSON, with its breaks and what no hash covers."""
    chain = json.loads(text)["chains"][0]
    breaks = ", ".join(f"{it['kind']} {it['at']}" for it in chain["breaks"])
    uncovered = f"; not covered: {', '.join(chain['uncovered'])}" if chain["uncovered"] else ""
    return (breaks or chain["verdict"]) + uncovered


def compare(name, options):
    """Times and verdicts of a package and of govctl over the same rows."""
    table, rows = TABLES[name], options.rows
    theirs = [sys.executable, __file__, options.url, "--verify", name]
    ours = [options.govctl, "verify-chain", options.url, "--table", f"public.{table}", "--format", "json"]
    globals()[f"write_{name}"](options.url, rows)
    with psycopg.connect(options.url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        rounds = []
        for _ in range(options.rounds):
            (their_word, *their), (our_word, *our) = measured(theirs), measured(ours)
            assert their_word == "intact" and said_by_govctl(our_word).startswith("intact"), (their_word, our_word)
            rounds.append((their, our))
        middle = [statistics.median(of) for of in zip(*[(*their, *our) for their, our in rounds])]
        head = json.loads(our_word)["chains"][0]["head"]["hash"]
        print(f"\n{name}, {rows} rows, median of {options.rounds} turns")
        print(f"  {name:12} {middle[0]:8.2f} s  {middle[1]:6.0f} MB")
        print(f"  {'govctl':12} {middle[2]:8.2f} s  {middle[3]:6.0f} MB   {middle[0] / middle[2]:.1f} times as fast, "
              f"with {middle[1] / middle[3]:.1f} times less memory")
        # Its triggers would refuse what whoever may alter the table can do without them.
        connection.execute(f"alter table {table} disable trigger user")
        kept = [table] + (["ledger_head"] if name == "ledgerchain" else [])
        for of in kept:
            connection.execute(f"create table kept_{of} as table {of}")
        for attack, sql in ATTACKS[name]:
            connection.execute(sql.format(middle=rows // 2, end=rows - 1000))
            print(f"  {attack}\n    {name}: {measured(theirs)[0]}\n    govctl: {said_by_govctl(measured(ours)[0])}")
            print(f"    govctl --expect HEAD: {said_by_govctl(measured([*ours, '--expect', head])[0])}")
            for of in kept:
                connection.execute(f"truncate {of}; insert into {of} table kept_{of}")
        connection.execute("; ".join(f"drop table {of}, kept_{of}" for of in kept))


def main():
    """Compares with each package, or verifies with one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="a database in which the tables of the packages may be created and dropped")
    parser.add_argument("--govctl", default="target/release/govctl")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--verify", choices=sorted(TABLES), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.verify:
        print(globals()[f"verify_{options.verify}"](options.url))
        return
    with psycopg.connect(options.url) as connection:
        tables = "select count(*) from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
        if connection.execute(tables).fetchone()[0]:
            sys.exit("the database has tables: name an empty one")
    for name in TABLES:
        compare(name, options)


if __name__ == "__main__":
    main()
