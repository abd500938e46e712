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
``nearest``: the same index asked for the best hundred;
``page``: the case is opened, and fifty photos of its middle are shown;
``index``: the index for searching is made from nothing;
``search``: `gtloc search` as a process of its own, by that index;
``recall``: how many of the nearest twenty, by all cosines, that search shows.
``--draw`` only draws the picture of what --out holds.
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
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

SEED_PHOTOS = 200
WIDTH = 384
AT_ONCE = 10_000
REPORTS = ("html", "report, brief", "report, appendix apart")  # of bench_report.py, drawn with the others
STEPS = ("write", "page", "known", "list", "like", "nearest", "index", "search", "recall")


def seed(folder: Path) -> None:
    """Make the small case whose rows are repeated."""
    from bench_memory import conclude, gather, make

    make(folder, SEED_PHOTOS)
    gather(folder)
    conclude(folder)


def templates(folder: Path) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """Return the examination and the header of the small case, and of each of its photos the rows and the claim."""
    import msgspec
    from sqlalchemy import select

    from gtloc_forensics.store.database import Store
    from gtloc_forensics.store.keys import CLAIM
    from gtloc_forensics.store.schema import CaseRow, ExaminationRow, MemberRow, ResultRow, SourceRow

    store = Store(folder / "case" / "case.sqlite")
    with store.reading() as session:
        connection = session.connection()
        examination = dict(connection.execute(select(ExaminationRow.__table__)).mappings().one())
        header = dict(connection.execute(select(CaseRow.__table__)).mappings().one())
        sources = [dict(row) for row in connection.execute(select(SourceRow.__table__)).mappings()]
        asked = select(ResultRow.subject, ResultRow.payload).where(ResultRow.stage == CLAIM)
        claims = {subject: msgspec.msgpack.decode(_plain(kept)) for subject, kept in connection.execute(asked)}
        members = {row["source_row"]: dict(row) for row in connection.execute(select(MemberRow.__table__)).mappings()}
    store.close()
    photos = [
        {"source": source, "member": members[source["id"]], "claim": claims[source["source_id"]]} for source in sources
    ]
    return examination, header, photos


def _plain(kept: bytes) -> bytes:
    return zlib.decompress(kept[1:]) if kept[:1] == b"z" else kept[1:]


def rows(
    number: int, photo: dict[str, Any], stages: Any, embedding: np.ndarray
) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """Return the rows of photo *number*, made of those of another one: its claim, and what a model saw."""
    from gtloc_forensics.records import source_id_of
    from gtloc_forensics.store.keys import CLAIM, VISION, claim_key
    from gtloc_forensics.store.rows import StoredSource

    relative, sha256 = f"{number // 1000:04}/{number:07}.jpg".encode(), f"{number:064x}"
    source = {**photo["source"], "id": number + 1, "relative": relative, "sha256": sha256, "generation": 0}
    source["source_id"] = source_id_of(relative)
    stat = json.loads(source["stat"])
    key = tuple(stat[name] for name in ("size_bytes", "mtime_ns", "ctime_ns", "inode", "device"))
    claimed = claim_key(stages, StoredSource(number + 1, relative, sha256, key, {}))
    kept = {"failed": False}
    results = [
        {
            **kept,
            "subject": source["source_id"],
            "stage": CLAIM,
            "fingerprint": claimed,
            "payload": claim_of(number, photo),
        },
        {
            **kept,
            "subject": sha256,
            "stage": VISION,
            "fingerprint": stages.vision,
            "payload": prediction_of(sha256, embedding),
        },
    ]
    member = {**photo["member"], "examination_id": 1, "ordinal": number, "source_row": number + 1}
    return source, results, member | {"sha256_at_end": sha256}


def claim_of(number: int, photo: dict[str, Any]) -> bytes:
    """Return a claim as it is kept, at a time and a place of its own: a photo every eleven minutes, all over."""
    import msgspec

    claim = photo["claim"]
    taken = datetime(2004, 1, 1) + timedelta(minutes=11 * number)
    claim["local_time"]["value"] = taken.isoformat()
    claim["tags"]["ExifIFD:DateTimeOriginal"] = [f"{taken:%Y:%m:%d %H:%M:%S}"]
    if "value" in claim["position"]:
        claim["position"]["value"] = {
            "latitude_deg": 36.0 + number * 7 % 30_000 / 1000,
            "longitude_deg": -9.0 + number * 13 % 45_000 / 1000,
        }
    return b"z" + zlib.compress(msgspec.msgpack.encode(claim), 1)


def prediction_of(sha256: str, embedding: np.ndarray) -> bytes:
    """Return what a model saw as it is kept; its densities are left out, or a million of them would take 12 GB."""
    import msgspec

    kept = {"dtype": "<f4", "shape": [WIDTH], "data": embedding.tobytes()}
    return b"z" + zlib.compress(msgspec.msgpack.encode({"source_id": sha256, "embedding": kept}), 1)


def write(case: Path, photos: int) -> dict[str, Any]:
    """Write the rows of *photos* photos, ten thousand a transaction."""
    from dataclasses import replace

    from sqlalchemy import insert

    from gtloc_forensics.store.database import ROWS_AT_ONCE, Store
    from gtloc_forensics.store.keys import Stages
    from gtloc_forensics.store.schema import CaseRow, ExaminationRow, MemberRow, ResultRow, SourceRow

    examination, header, kept = templates(case.parent.parent / "seed")
    stages = replace(Stages(**json.loads(examination["stages"])), vision="made", further={})
    examination |= {"id": 1, "stages": json.dumps(asdict(stages))}
    case.parent.mkdir(exist_ok=True)
    store = Store(case)
    with store.writing() as session:
        session.connection().execute(insert(CaseRow), [header])
        session.connection().execute(insert(ExaminationRow), [examination])
    for first in range(0, photos, AT_ONCE):
        vectors = some_embeddings(first, min(AT_ONCE, photos - first))
        with store.writing() as session:
            connection = session.connection()
            for start in range(first, first + len(vectors), ROWS_AT_ONCE):
                numbers = range(start, min(start + ROWS_AT_ONCE, photos))
                made = [rows(number, kept[number % len(kept)], stages, vectors[number - first]) for number in numbers]
                connection.execute(insert(SourceRow), [source for source, _, _ in made])
                connection.execute(insert(ResultRow), [result for _, results, _ in made for result in results])
                connection.execute(insert(MemberRow), [member for _, _, member in made])
    with store.writing() as session:  # so that it is known which case it is
        store.append_event(
            session, utc_time=datetime(2026, 1, 1), actor="made", action="acquire", subject="made", detail={}
        )
    store.close()
    return {"file_mib": round(case.stat().st_size / (1 << 20), 1)}


def known(case: Path, photos: int) -> dict[str, Any]:
    from gtloc_forensics.examination.kept import Kept
    from gtloc_forensics.examination.prefetch import chunks
    from gtloc_forensics.store.database import ROWS_AT_ONCE, Store
    from gtloc_forensics.store.keys import Stages
    from gtloc_forensics.store.known import every_path

    store = Store(case)
    row = store.examination()
    if row is None:
        raise SystemExit("the case holds no examination")
    held, rows = Kept(store, Stages(**json.loads(row.stages))), 0
    for window in chunks(every_path(store), ROWS_AT_ONCE):
        held.look_at_paths(window)
        for source_id in window:
            state = held.source(source_id)
            rows += state is not None and held.has_all(state)
    return {"rows": rows}


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


def some_embeddings(first: int, count: int) -> np.ndarray:
    """Return *count* unit vectors from number *first* on, in clusters as pictures of some places and hours are."""
    centres = np.random.default_rng(1).normal(size=(500, WIDTH)).astype(np.float32)
    rng = np.random.default_rng((1, first))
    made = centres[rng.integers(0, 500, count)]
    made += rng.standard_normal(made.shape, np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made


def embeddings(photos: int) -> np.ndarray:
    """Return all of them."""
    made = np.empty((photos, WIDTH), np.float32)
    for first in range(0, photos, AT_ONCE):
        made[first : first + AT_ONCE] = some_embeddings(first, min(AT_ONCE, photos - first))
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


def page(case: Path, photos: int) -> dict[str, Any]:
    """Open the case as a command does, and show the fifty photos in its middle."""
    from gtloc_forensics.case.case import Case

    begun, cpu = time.perf_counter(), time.process_time()
    with Case(case.parent) as opened:
        view = opened.view()
        counted, found = view.count(), list(view.outlines_at(range(photos // 2, photos // 2 + 50)))
    assert (counted, len(found)) == (photos, 50)
    return {"query_s": round(time.perf_counter() - begun, 3), "query_cpu_s": round(time.process_time() - cpu, 3)}


def index(case: Path, photos: int) -> dict[str, Any]:
    """Make the index for searching, from nothing."""
    import shutil

    from gtloc_forensics.case.case import Case

    shutil.rmtree(case.parent / "search-index", ignore_errors=True)
    with Case(case.parent) as opened:
        assert opened.index_for_search(progress=lambda done, total: None)
    made = sum(path.stat().st_size for path in (case.parent / "search-index").iterdir())
    return {"index_mib": round(made / (1 << 20), 1)}


QUESTIONS: dict[str, tuple[str, ...]] = {
    "like": ("--like", "0004/0004711.jpg"),
    "like, months": ("--like", "0004/0004711.jpg", "--months", "3-5"),
    "words": ("--words", "'model 7' 2004:03"),
    "near, hours": ("--near", "48.1,11.5", "--within-km", "40", "--local-hours", "22-4"),
    "dates": ("--dates", "2004-03-01..2004-03-10"),
    "device": ("--device", "model 7"),
}


def search(case: Path, photos: int) -> dict[str, Any]:
    """Search as a person does, each question three times: CPU seconds of the whole command, from its start."""
    told: dict[str, list[float]] = {}
    for said, question in QUESTIONS.items():
        for _ in range(3):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            command = [sys.executable, "-m", "gtloc_forensics", "search", str(case.parent), *question, "--json"]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            assert json.loads(done.stdout)["looked_at"] == photos
            cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            told.setdefault(said, []).append(round(cpu_s, 2))
    peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {"questions_cpu_s": told, "largest_peak_mib": round(peak_kib / 1024, 1)}


def recall(case: Path, photos: int) -> dict[str, Any]:
    """Hold what the index finds against every cosine: of twenty queries the share of the nearest twenty it shows."""
    from gtloc_forensics.case.case import Case
    from gtloc_forensics.case.composing import Asked
    from gtloc_forensics.case.retrieval import Query

    table, shares = embeddings(photos), []
    with Case(case.parent) as opened:
        for number in range(0, photos, photos // 20):
            scores = table @ table[number]
            nearest = {f"{at // 1000:04}/{at:07}.jpg" for at in np.argpartition(-scores, 20)[:20]}
            asked = Asked(like=(f"{number // 1000:04}/{number:07}.jpg",))
            shown = {hit.name for hit in opened.ask(Query(), asked, limit=20).hits}
            shares.append(len(nearest & shown) / 20)
    return {"queries": len(shares), "recall_at_20": round(float(np.mean(shares)), 4), "least": min(shares)}


DO: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "write": write,
    "known": known,
    "list": listed,
    "like": like,
    "nearest": nearest,
    "page": page,
    "index": index,
    "search": search,
    "recall": recall,
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
                command = [
                    sys.executable,
                    __file__,
                    "--step",
                    name,
                    "--case",
                    str(Path(folder) / "case" / "case.sqlite"),
                ]
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


def _drawn(found: dict[str, Any]) -> dict[str, Any]:
    """Return what is drawn of a step: of searches the dearest question, as its process has it."""
    if found["step"] != "search":
        return found
    dearest = max(sorted(each)[len(each) // 2] for each in found["questions_cpu_s"].values())
    return found | {"cpu_s": dearest, "peak_mib": found["largest_peak_mib"]}


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw CPU time and peak memory of every step over the number of photos, both axes logarithmic."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "gtloc"
    from matplotlib import pyplot

    figure, (of_time, of_memory) = pyplot.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
    for axes in (of_time, of_memory):
        axes.set_prop_cycle(color=pyplot.colormaps["tab20"].colors)
    for name in (*STEPS[:-1], *REPORTS):  # recall costs what the search of all costs that it is held against
        every = sorted(result["results"], key=lambda each: each["photos"])
        found = [_drawn(each) for each in every if each["step"] == name and "cpu_s" in each]
        photos = [each["photos"] for each in found]
        of_time.plot(photos, [each["cpu_s"] for each in found], "o-", label=name)
        of_memory.plot(photos, [each["peak_mib"] for each in found], "o-", label=name)
    rules = json.loads(Path(__file__).with_name("checks_speed.json").read_text(encoding="utf-8"))["cpu_seconds"]
    counts = [int(photos) for photos in rules]
    but_one = [cost["rules"] - cost["rule GF408"] for cost in rules.values()]  # what that costs goes by cameras
    of_time.plot(counts, but_one, "s--", label="rules but GF408")
    of_time.plot(counts, [cost["clock models"] for cost in rules.values()], "s--", label="clock models")
    for axes, said in ((of_time, "CPU seconds"), (of_memory, "peak memory, MiB")):
        axes.set(xscale="log", yscale="log", xlabel="photos", ylabel=said)
        axes.grid(visible=True, which="major", alpha=0.3)
    figure.legend(*of_time.get_legend_handles_labels(), loc="outside right upper", fontsize=7)
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
