"""How the store, its lists and the search by likeness grow with the number of photos, up to a million made rows.

    python benchmarks/bench_scale.py [--photos 10000 100000 1000000] [--steps …] [--place FOLDER]
                                     [--out benchmarks/scale.json] [--picture docs/scale.svg] [--draw]

A small case is gathered and concluded as the program does it, of files with made-up tags (bench_memory.py); its rows,
payloads and all, are then repeated under other names, so that a million of them takes minutes. Each step runs in a
process of its own, so that its peak of memory (VmHWM) is its own. CPU seconds are user and system time.

``write``: the rows of N photos (source, claim, picture, member of the examination) go in, some hundred a statement;
``known``: what a run asks first, the newest state of every path and what is done already, held in memory;
``list``: every photo as a list shows it (``store.sketches``), streamed;
``like``: the nearest of N made embeddings of 384 numbers by faiss, as a search by example finds them, all ranked;
``nearest``: the same index asked for the best hundred. ``--draw`` only draws the picture of what --out holds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

SEED_PHOTOS = 200
WIDTH = 384
STEPS = ("write", "known", "list", "like", "nearest")


def seed(folder: Path) -> None:
    """Make the small case whose rows are repeated."""
    from bench_memory import conclude, make

    make(folder, SEED_PHOTOS)
    conclude(folder)


def templates(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the examination of the small case, and of each of its photos the rows."""
    from sqlalchemy import select

    from gtloc_forensics.store.database import Store
    from gtloc_forensics.store.schema import ExaminationRow, MemberRow, ResultRow, SourceRow

    store = Store(folder / "case" / "case.sqlite")
    with store.reading() as session:
        connection = session.connection()
        examination = dict(connection.execute(select(ExaminationRow.__table__)).mappings().one())
        sources = [dict(row) for row in connection.execute(select(SourceRow.__table__)).mappings()]
        results = [dict(row) for row in connection.execute(select(ResultRow.__table__)).mappings()]
        members = {row["source_row"]: dict(row) for row in connection.execute(select(MemberRow.__table__)).mappings()}
    store.close()
    of_subject: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        of_subject.setdefault(result["subject"], []).append(result)
    photos = [
        {
            "source": source,
            "member": members[source["id"]],
            "results": [*of_subject.get(source["source_id"], ()), *of_subject.get(source["sha256"], ())],
        }
        for source in sources
    ]
    return examination, photos


def rows(
    number: int, photo: dict[str, Any], stages: Any
) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """Return the rows of photo *number*, made of those of another one."""
    from gtloc_forensics.records import source_id_of
    from gtloc_forensics.store.keys import CLAIM, claim_key
    from gtloc_forensics.store.rows import StoredSource

    relative, sha256 = f"{number // 1000:04}/{number:07}.jpg".encode(), f"{number:064x}"
    source = {**photo["source"], "id": number + 1, "relative": relative, "sha256": sha256, "generation": 0}
    source["source_id"] = source_id_of(relative)
    stat = json.loads(source["stat"])
    key = tuple(stat[name] for name in ("size_bytes", "mtime_ns", "ctime_ns", "inode", "device"))
    claimed = claim_key(stages, StoredSource(number + 1, relative, sha256, key, {}))
    results = [
        {**made, "subject": source["source_id"], "fingerprint": claimed}
        if made["stage"] == CLAIM
        else {**made, "subject": sha256}
        for made in photo["results"]
    ]
    member = {**photo["member"], "examination_id": 1, "ordinal": number, "source_row": number + 1}
    return source, results, member | {"sha256_at_end": sha256}


def write(case: Path, photos: int) -> dict[str, Any]:
    """Write the rows of *photos* photos, ten thousand a transaction."""
    from sqlalchemy import insert

    from gtloc_forensics.store.database import ROWS_AT_ONCE, Store
    from gtloc_forensics.store.keys import Stages
    from gtloc_forensics.store.schema import ExaminationRow, MemberRow, ResultRow, SourceRow

    examination, kept = templates(case.parent / "seed")
    stages = Stages(**json.loads(examination["stages"]))
    store = Store(case)
    with store.writing() as session:
        session.connection().execute(insert(ExaminationRow), [{**examination, "id": 1}])
    for first in range(0, photos, 10_000):
        with store.writing() as session:
            connection = session.connection()
            for start in range(first, min(first + 10_000, photos), ROWS_AT_ONCE):
                numbers = range(start, min(start + ROWS_AT_ONCE, photos))
                made = [rows(number, kept[number % len(kept)], stages) for number in numbers]
                connection.execute(insert(SourceRow), [source for source, _, _ in made])
                connection.execute(insert(ResultRow), [result for _, results, _ in made for result in results])
                connection.execute(insert(MemberRow), [member for _, _, member in made])
    store.close()
    return {"file_mib": round(case.stat().st_size / (1 << 20), 1)}


def known(case: Path, photos: int) -> dict[str, Any]:
    from gtloc_forensics.examination.kept import Kept
    from gtloc_forensics.store.database import Store
    from gtloc_forensics.store.keys import Stages

    store = Store(case)
    row = store.examination()
    if row is None:
        raise SystemExit("the case holds no examination")
    held = Kept(store, Stages(**json.loads(row.stages)))
    return {"rows": len(held.rows())}


def listed(case: Path, photos: int) -> dict[str, Any]:
    from gtloc_forensics.store.database import Store
    from gtloc_forensics.store.keys import Stages
    from gtloc_forensics.store.photos import Album
    from gtloc_forensics.store.sketches import sketched

    store = Store(case)
    row = store.examination()
    if row is None:
        raise SystemExit("the case holds no examination")
    stages = Stages(**json.loads(row.stages))
    album = Album(store, stages, "")
    return {"rows": sum(1 for _ in sketched(store, row.id, stages, whole=album.claim, other=(), tags=False))}


def embeddings(photos: int) -> np.ndarray:
    """Return *photos* unit vectors, in clusters as pictures of some places and hours are."""
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(500, WIDTH)).astype(np.float32)
    made = np.empty((photos, WIDTH), np.float32)
    for first in range(0, photos, 50_000):
        some = made[first : first + 50_000]
        some[:] = centres[rng.integers(0, 500, len(some))]
        some += rng.standard_normal(some.shape, np.float32)
        some /= np.linalg.norm(some, axis=1, keepdims=True)
    return made


def like(case: Path, photos: int) -> dict[str, Any]:
    from gtloc_forensics.case.retrieval import cosines

    table = embeddings(photos)
    begun, cpu = time.perf_counter(), time.process_time()
    found = cosines(list(table), table[photos // 2])
    assert found[photos // 2] is not None
    return {"query_s": round(time.perf_counter() - begun, 3), "query_cpu_s": round(time.process_time() - cpu, 3)}


def nearest(case: Path, photos: int) -> dict[str, Any]:
    import faiss

    index = faiss.IndexFlatIP(WIDTH)
    table = embeddings(photos)
    index.add(table)
    query = table[photos // 2][None].copy()
    del table
    begun, cpu = time.perf_counter(), time.process_time()
    _, found = index.search(query, 100)
    assert found[0, 0] == photos // 2
    return {"query_s": round(time.perf_counter() - begun, 3), "query_cpu_s": round(time.process_time() - cpu, 3)}


DO: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "write": write,
    "known": known,
    "list": listed,
    "like": like,
    "nearest": nearest,
}


def step(name: str, case: Path, photos: int) -> None:
    begun, cpu = time.monotonic(), time.process_time()
    found = DO[name](case, photos)
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    peak_kib = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    figures = {"cpu_s": round(time.process_time() - cpu, 2), "wall_s": round(time.monotonic() - begun, 2)}
    print(json.dumps({"step": name, "photos": photos, **figures, "peak_mib": round(peak_kib / 1024, 1), **found}))


def measured(counts: list[int], steps: list[str], place: Path | None, most_gib: float) -> Iterator[dict[str, Any]]:
    """Yield the figures of every step, from the smallest number of photos to the largest."""
    for photos in counts:
        with tempfile.TemporaryDirectory(prefix="gtloc-scale-", dir=place) as folder:
            if "write" in steps:
                (Path(folder) / "seed").mkdir()
                seed(Path(folder) / "seed")
            for name in steps:
                command = [sys.executable, __file__, "--step", name, "--case", str(Path(folder) / "case.sqlite")]
                done = subprocess.run(
                    [*command, "--photos", str(photos)],
                    check=False,
                    capture_output=True,
                    text=True,
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (int(most_gib * (1 << 30)),) * 2),
                )
                found = json.loads(done.stdout) if done.returncode == 0 else _failed(name, photos, done.stderr)
                print(json.dumps(found), file=sys.stderr, flush=True)
                yield found | {"load": round(os.getloadavg()[0], 1)}


def _failed(name: str, photos: int, said: str) -> dict[str, Any]:
    return {"step": name, "photos": photos, "failed": (said.strip().splitlines() or ["no reason"])[-1][:200]}


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw CPU time and peak memory of every step over the number of photos, both axes logarithmic."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "gtloc"
    from matplotlib import pyplot

    figure, (of_time, of_memory) = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for name in STEPS:
        found = [each for each in result["results"] if each["step"] == name and "cpu_s" in each]
        photos = [each["photos"] for each in found]
        of_time.plot(photos, [each["cpu_s"] for each in found], "o-", label=name)
        of_memory.plot(photos, [each["peak_mib"] for each in found], "o-", label=name)
    for axes, said in ((of_time, "CPU seconds"), (of_memory, "peak memory, MiB")):
        axes.set(xscale="log", yscale="log", xlabel="photos", ylabel=said)
        axes.grid(visible=True, which="major", alpha=0.3)
    of_time.legend()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--steps", choices=STEPS, nargs="+", default=list(STEPS))
    parser.add_argument("--place", type=Path, help="Folder for the made cases: a million photos take 5 GB.")
    parser.add_argument("--most-gib", type=float, default=6.0, help="Address space that a step may use.")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--draw", action="store_true")
    parser.add_argument("--step", choices=STEPS)
    parser.add_argument("--case", type=Path)
    options = parser.parse_args()
    if options.step:
        step(options.step, options.case, options.photos[0])
        return
    if options.draw:
        result = json.loads(options.out.read_text(encoding="utf-8"))
    else:
        machine = {"machine": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()}
        found = list(measured(sorted(options.photos), options.steps, options.place, options.most_gib))
        result = {"machine": machine, "width": WIDTH, "results": found}
        text = json.dumps(result, indent=1)
        print(text)
        if options.out:
            options.out.write_text(text + "\n", encoding="utf-8")
    if options.picture:
        draw(result, options.picture)


if __name__ == "__main__":
    main()
