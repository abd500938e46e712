"""Tune the last blocks of the backbone on the sun's height, and say what that brings over frozen ones.

    python experiments/tune_last_blocks.py --photos ../shared/photos --out FOLDER [--blocks 2] [--steps 4000]

Two runs from the same start and with the same batches: a linear head on frozen blocks, and the same head with the
last blocks let loose at a smaller rate. A tenth of the training sources decides which state is kept; the set's
``val`` judges it once, every source alike. A stopped run goes on. Made for an accelerator (``--device auto`` takes
one where it is): on two cores a step of 64 pictures takes some ten seconds, so there it can be tried
(``--limit 64 --steps 2 --batch 8``) and not finished. Nothing of it ships.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import photo_set
import picture_features
import sky
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gtloc_forensics.evidence import sun_height

Rows = NDArray[np.int64]

HEAD_RATE, BLOCK_RATE, DECAY = 1e-3, 1e-5, 0.05
CHOOSING_SHARE = 0.1  # of the training sources
RESAMPLES = 1000


class Tuned(nn.Module):
    """The backbone with its last blocks let loose, and a linear head over cells of the sun's height."""

    def __init__(self, downloads: Path, blocks: int) -> None:
        """Begin with the blocks that ship; *blocks* of them, the last, learn."""
        super().__init__()
        extractor, _ = picture_features.extractor(downloads)
        self.net, self.mean, self.std = extractor.net, extractor.mean, extractor.std
        self.net.requires_grad_(requires_grad=False)
        self.loose = nn.ModuleList(list(self.net.blocks)[len(self.net.blocks) - blocks :])
        self.loose.requires_grad_()
        width = 384 * len(picture_features.BLOCKS)
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, len(sky.EDGES_DEG) - 1)

    def forward(self, views: Tensor) -> Tensor:
        """Return logits over the cells, ``[B, C]``; *views* is ``[B, 3, H, W]`` of bytes."""
        layers = self.net.forward_intermediates(
            (views.float() / 255.0 - self.mean.to(views.device)) / self.std.to(views.device),
            indices=list(picture_features.BLOCKS), norm=False, output_fmt="NCHW", intermediates_only=True,
        )  # fmt: skip
        pooled = torch.cat([layer.float().mean(dim=(2, 3)) for layer in layers], dim=1)
        logits: Tensor = self.head(self.norm(pooled))
        return logits


def main() -> None:
    """Train both, judge both, print and keep what came out."""
    asked = _asked()
    device = torch.device(asked.device if asked.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu")
    photos = photo_set.load(asked.photos)
    target, exact = sky.height_targets(photos)
    people = photos.timed & np.isin(photos.kind, ["photo", "time-only"])
    train, judged = (np.flatnonzero(people & (photos.split == split)) for split in ("train", "val"))
    judged = judged[exact[judged]]
    if asked.limit:
        random = np.random.default_rng(asked.seed)
        train, judged = (np.sort(random.permutation(rows)[: asked.limit]) for rows in (train, judged))
    told = {
        blocks: _run(asked, photos, target, train=train, judged=judged, blocks=blocks, device=device)
        for blocks in (0, asked.blocks)
    }
    facts = _compared(photos, target, judged, told[0], told[asked.blocks], usual=target[train].mean(0))
    facts |= {"blocks": asked.blocks, "steps": asked.steps, "device": str(device), "learned_from": len(train)}
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "tuned.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(facts, indent=1))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="what was reached, and the states that go on")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "gtloc-small", help="downloads")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--blocks", type=int, default=2, choices=range(1, 9), help="how many of the last ones learn")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--every", type=int, default=200, help="steps between two looks at the choosing sources")
    parser.add_argument("--limit", type=int, default=0, help="so many photos of each part, to try it")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _run(
    asked: argparse.Namespace,
    photos: photo_set.PhotoSet,
    target: NDArray[np.float64],
    *,
    train: Rows,
    judged: Rows,
    blocks: int,
    device: torch.device,
) -> NDArray[np.float64]:
    """Return the log mass that the kept state gives to each judged photo, ``[N, C]``."""
    torch.manual_seed(asked.seed)
    model = Tuned(asked.cache / "downloads", blocks).to(device)
    rates = [{"params": [*model.norm.parameters(), *model.head.parameters()], "lr": HEAD_RATE}]
    rates += [{"params": list(model.loose.parameters()), "lr": BLOCK_RATE}] if blocks else []
    optimiser = torch.optim.AdamW(rates, weight_decay=DECAY)
    random = np.random.default_rng(asked.seed)
    groups = random.permutation(np.unique(photos.group[train]))
    choosing = np.isin(photos.group[train], groups[: max(1, int(CHOOSING_SHARE * len(groups)))])
    chosen_on, rows = train[choosing], train[~choosing]
    weight = photo_set.group_weights(photos.group, cap=sky.GROUP_CAP)[rows]
    kept = asked.out / f"state-{blocks}.pt"
    step, best, best_state = _gone_on(kept, model, optimiser)
    for number in range(1, asked.steps + 1):
        batch = random.choice(rows, size=min(asked.batch, len(rows)), p=weight / weight.sum())
        if number <= step:
            continue  # drawn all the same, so that a run that goes on sees what an unbroken one sees
        model.train()
        wanted = torch.tensor(target[batch], dtype=torch.float32, device=device)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda"):
            logits = model(_views(asked.photos, photos, batch).to(device))
        loss = -(wanted * torch.log_softmax(logits.float(), 1)).sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if number % asked.every == 0 or number == asked.steps:
            cost = _by_source(photos, chosen_on, _costs(target[chosen_on], _told(asked, photos, model, chosen_on)))
            if cost.mean() < best:
                best, best_state = float(cost.mean()), {name: value.cpu() for name, value in model.state_dict().items()}
            asked.out.mkdir(parents=True, exist_ok=True)
            state = {"model": model.state_dict(), "optimiser": optimiser.state_dict()}
            torch.save({**state, "step": number, "best": best, "best_state": best_state}, kept)
            print(f"{blocks} blocks, step {number}: {float(loss.detach()):.3f}, choosing {cost.mean():.3f}", flush=True)
    model.load_state_dict(best_state or model.state_dict())
    return _told(asked, photos, model, judged)


def _gone_on(kept: Path, model: Tuned, optimiser: torch.optim.Optimizer) -> tuple[int, float, dict[str, Tensor]]:
    if not kept.is_file():
        return 0, float("inf"), {}
    state: dict[str, Any] = torch.load(kept, map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"]), float(state["best"]), state["best_state"]


def _views(folder: Path, photos: photo_set.PhotoSet, rows: Rows) -> Tensor:
    """Return pictures as bytes, ``[B, 3, H, W]``."""

    def view(row: int) -> NDArray[np.uint8]:
        path = folder / "images" / f"{photos.ids[row]}.jpg"
        return picture_features.picture(path, streetview=bool(photos.streetview[row]))

    with ThreadPoolExecutor() as pool:
        return torch.from_numpy(np.stack(list(pool.map(view, rows)))).permute(0, 3, 1, 2)


def _told(asked: argparse.Namespace, photos: photo_set.PhotoSet, model: Tuned, rows: Rows) -> NDArray[np.float64]:
    model.eval()
    device, told = next(model.parameters()).device, []
    with torch.inference_mode():
        for first in range(0, len(rows), asked.batch):
            logits = model(_views(asked.photos, photos, rows[first : first + asked.batch]).to(device))
            told.append(torch.log_softmax(logits.float(), 1).double().cpu().numpy())
    return np.concatenate(told)


def _costs(target: NDArray[np.float64], log_mass: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cross-entropy of each photo, ``[N]``, in nats."""
    return np.asarray(-(target * log_mass).sum(1))


def _by_source(photos: photo_set.PhotoSet, rows: Rows, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of each source, every source alike."""
    groups = photos.group[rows]
    return np.array([values[groups == group].mean() for group in np.unique(groups)])


def _compared(
    photos: photo_set.PhotoSet,
    target: NDArray[np.float64],
    rows: Rows,
    frozen: NDArray[np.float64],
    tuned: NDArray[np.float64],
    *,
    usual: NDArray[np.float64],
) -> dict[str, Any]:
    """Return what both reach on sources never seen beside the *usual* heights, with the gain over sources."""
    edges = np.asarray(sky.EDGES_DEG)
    constant = np.log(np.broadcast_to(usual, target[rows].shape) + 1e-12)
    facts: dict[str, Any] = {"photos": len(rows), "sources": len(np.unique(photos.group[rows]))}
    costs = {}
    for name, log_mass in (("constant", constant), ("frozen", frozen), ("tuned", tuned)):
        costs[name] = _by_source(photos, rows, _costs(target[rows], log_mass))
        middle = np.array([sun_height.median_deg(np.exp(row), edges) for row in log_mass])
        error = _by_source(photos, rows, np.abs(middle - photos.elevation_deg[rows]))
        facts[name] = {
            "cross_entropy_nat": round(float(costs[name].mean()), 4),
            "error_deg": round(float(error.mean()), 2),
        }
    gain = costs["frozen"] - costs["tuned"]
    random = np.random.default_rng(0)
    drawn = [random.choice(gain, len(gain)).mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    facts["gain_nat"] = [round(float(value), 4) for value in (gain.mean(), low, high)]
    return facts


if __name__ == "__main__":
    main()
