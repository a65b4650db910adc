import asyncio
import sqlite3
from pathlib import Path
from random import Random

import pytest

from app.storage.database import Database, UnusableDatabaseError
from tests.patience import PATIENCE_S

FIRST = "CREATE TABLE pets (name TEXT PRIMARY KEY)"
SECOND = "ALTER TABLE pets ADD COLUMN age INTEGER NOT NULL DEFAULT 1"


def bytes_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("pets.sqlite3*"))


async def names(database: Database) -> set[str]:
    return {row["name"] for row in await database.fetch_all("SELECT name FROM pets")}


async def test_migrations_run_once_and_keep_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "pets.sqlite3"
    database = await Database.open(path, [FIRST])
    await database.execute("INSERT INTO pets VALUES (?)", ("Murka",))
    await database.close()

    database = await Database.open(path, [FIRST, SECOND])
    row = await database.fetch_one("SELECT * FROM pets")
    await database.close()

    assert row is not None
    assert dict(row) == {"name": "Murka", "age": 1}


async def test_what_is_written_survives_the_power(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "pets.sqlite3", [FIRST])
    journal = await database.fetch_one("PRAGMA journal_mode")
    synchronous = await database.fetch_one("PRAGMA synchronous")
    await database.close()

    assert journal is not None
    assert synchronous is not None
    assert (journal[0], synchronous[0]) == ("wal", 2)


async def test_what_waits_for_another_process_is_written(tmp_path: Path) -> None:
    """A backup holds the file for longer than SQLite itself has patience."""
    path = tmp_path / "pets.sqlite3"
    database = await Database.open(path, [FIRST])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def insert_two() -> None:
        async with database.transaction() as statements:
            await statements.execute("INSERT INTO pets VALUES ('Barsik')")

    insert = database.execute("INSERT INTO pets VALUES ('Murka')")
    written = asyncio.gather(insert, insert_two())
    await asyncio.sleep(7)
    assert not written.done()
    other.execute("ROLLBACK")
    other.close()
    await written
    assert await names(database) == {"Murka", "Barsik"}
    await database.close()


async def test_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "pets.sqlite3", [FIRST])

    async def insert_twice() -> None:
        async with database.transaction() as statements:
            await statements.execute("INSERT INTO pets VALUES ('Murka')")
            await statements.execute("INSERT INTO pets VALUES ('Murka')")

    with pytest.raises(sqlite3.IntegrityError):
        await insert_twice()
    assert await names(database) == set()
    await database.close()


async def test_cancelled_transaction_leaves_nothing_and_frees_the_file(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "pets.sqlite3", [FIRST])
    inserted = asyncio.Event()

    async def never_commits() -> None:
        async with database.transaction() as statements:
            await statements.execute("INSERT INTO pets VALUES ('Murka')")
            inserted.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(never_commits())
    await inserted.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    await database.execute("INSERT INTO pets VALUES ('Barsik')")
    assert await names(database) == {"Barsik"}
    await database.close()


async def test_single_statement_does_not_join_anothers_transaction(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "pets.sqlite3", [FIRST])
    inserted = asyncio.Event()

    async def insert_and_fail() -> None:
        async with database.transaction() as statements:
            await statements.execute("INSERT INTO pets VALUES ('Murka')")
            inserted.set()
            await asyncio.sleep(0.01)
            raise ZeroDivisionError

    failing = asyncio.create_task(insert_and_fail())
    await inserted.wait()
    await database.execute("INSERT INTO pets VALUES ('Barsik')")
    await asyncio.gather(failing, return_exceptions=True)
    assert await names(database) == {"Barsik"}
    await database.close()


async def test_half_a_migration_is_none(tmp_path: Path) -> None:
    path = tmp_path / "pets.sqlite3"
    with pytest.raises(UnusableDatabaseError):
        await Database.open(path, ["CREATE TABLE pets (name TEXT); DROP TABLE nowhere"])
    database = await Database.open(path, [FIRST])
    assert await names(database) == set()
    await database.close()


async def test_newer_file_is_refused_with_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "pets.sqlite3"
    await (await Database.open(path, [FIRST, SECOND])).close()
    with pytest.raises(UnusableDatabaseError, match="newer version"):
        await Database.open(path, [FIRST])


async def test_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pets.sqlite3"
    path.write_bytes(b"not a database, a shopping list: milk, bread" * 100)
    with pytest.raises(UnusableDatabaseError, match="not a database"):
        await Database.open(path, [FIRST])


async def test_a_reader_waits_for_no_writer_and_sees_what_is_committed(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "pets.sqlite3", [FIRST])
    asked = "SELECT count(*) FROM pets"
    async with asyncio.timeout(PATIENCE_S), database.transaction() as statements:
        await statements.execute("INSERT INTO pets VALUES ('Murka')")
        before = await database.read_one(asked)
    after = await database.read_one(asked)
    with pytest.raises(sqlite3.OperationalError):
        await database.read_one("DELETE FROM pets")
    await database.close()

    assert before is not None
    assert after is not None
    assert (before[0], after[0]) == (0, 1)


async def test_a_wiped_file_holds_no_byte_of_what_was_deleted(tmp_path: Path) -> None:
    """Rows that were moved from page to page as others came leave copies that no DELETE meets."""
    path = tmp_path / "pets.sqlite3"
    table = "CREATE TABLE pets (owner INTEGER, name TEXT, PRIMARY KEY (owner, name)) WITHOUT ROWID"
    database = await Database.open(path, [table])
    random = Random(1)
    rows = [(random.randrange(300), f"{n:05d}" * random.randrange(1, 40)) for n in range(8000)]
    async with database.transaction() as statements:
        for owner, name in rows:
            await statements.execute(
                "INSERT INTO pets VALUES (?, 'pet-of-' || ? || '-' || ?)", (owner, owner, name)
            )
    await database.execute("DELETE FROM pets WHERE owner < 150")
    await database.read_one("SELECT * FROM pets")
    await database.wipe()
    held = bytes_in(tmp_path)
    await database.close()
    assert [owner for owner in range(150) if b"pet-of-%d-" % owner in held] == []
    assert b"pet-of-150-" in held


async def test_a_file_that_somebody_reads_is_wiped_when_they_have_done(tmp_path: Path) -> None:
    path = tmp_path / "pets.sqlite3"
    database = await Database.open(path, [FIRST])
    await database.execute("INSERT INTO pets VALUES ('Murka')")
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM pets").fetchall()
    await database.execute("DELETE FROM pets")
    wiping = asyncio.create_task(database.wipe())
    await asyncio.sleep(0.3)
    reader.execute("COMMIT")
    reader.close()
    await wiping
    held = bytes_in(tmp_path)
    await database.close()
    assert b"Murka" not in held
