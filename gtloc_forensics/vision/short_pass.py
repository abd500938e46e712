"""The pass of a plain vision transformer in bfloat16 on a processor, at four fifths of what timm's own costs there.

The same layers and the same weights, computed otherwise where that is cheaper; figures, part by part:
docs/decisions/0064-what-decoding-costs.md.

* Weights lie as oneDNN multiplies by them, laid out once and not at every call.
* Attention is two products with a softmax between them. torch's own is made for thousands of tokens that must not be
  held at once; of some hundreds the products take a third of its time.
* Keys go without their bias: it adds one number to all scores of a query, which the softmax takes away again. So scores
  are smaller, and bfloat16 rounds them less.
* Of the last block nobody asks more than a mean over the tokens, so its last product is one of the mean.

A net that is built otherwise has no such pass, and timm's is taken.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from gtloc_forensics.vision.specs import ExtractorSpec
from gtloc_forensics.vision.torchvision_shim import timm_module

Product = Callable[[Tensor], Tensor]

_ROWS = 2048
"""For how many rows at a time weights are laid out, coarsely; any number can be multiplied by them."""


@dataclass(frozen=True, slots=True)
class _Block:
    """One block: what is multiplied, and what is added to its input by which measure."""

    norms: tuple[nn.LayerNorm, nn.LayerNorm]
    scales: tuple[Tensor, Tensor]
    heads: int
    asked: Product  # queries, keys and values of the heads
    told: Product  # what the heads found
    widened: Product
    activation: nn.Module
    narrowed: Product


class ShortPass:
    """A pass at work: pixels to pooled features of the layers that a manifest taps."""

    def __init__(self, net: Any, spec: ExtractorSpec, precision: torch.dtype) -> None:
        """Lay out the weights of a net that :func:`short_pass` found to be plain."""
        self._precision = precision
        self._spec = spec
        self._tapped = {tap.block for tap in spec.taps}
        self._last = max(self._tapped)
        self._mean_is_enough = all(tap.pool == "patch-mean" for tap in spec.taps if tap.block == self._last)
        self._embedded = net.patch_embed.to(precision)
        positions = net.pos_embed.detach()
        self._first, self._positions = net.cls_token.detach() + positions[:, :1], positions[:, 1:]
        self._blocks = [_laid_out(block, precision) for block in net.blocks[: self._last + 1]]

    def __call__(self, picture: Tensor) -> Tensor:
        """Map ``[B, 3, H, W]`` float32 at the scale of the net to ``[B, F]`` float32, the taps side by side."""
        with torch.autocast("cpu", enabled=False):
            layers = self._layers(self._tokens(picture))
            return torch.cat([layers[tap.block, tap.pool] for tap in self._spec.taps], dim=-1)

    def _layers(self, tokens: Tensor) -> dict[tuple[int, str], Tensor]:
        """Return what each tap wants, by block and way of pooling."""
        found: dict[tuple[int, str], Tensor] = {}
        for number, block in enumerate(self._blocks):
            tokens.addcmul_(self._attention(tokens, block), block.scales[0])
            hidden = block.activation(block.widened(self._normal(tokens, block.norms[1])))
            if number == self._last and self._mean_is_enough:
                # One row at a time: a product of a few is rounded otherwise than one of one.
                mean = torch.cat([block.narrowed(row) for row in torch.split(_mean_of_patches(hidden), 1)])
                found[number, "patch-mean"] = torch.addcmul(_mean(tokens), mean, block.scales[1])
                break
            tokens.addcmul_(block.narrowed(hidden), block.scales[1])
            if number in self._tapped:
                found[number, "cls"], found[number, "patch-mean"] = tokens[:, 0].clone(), _mean(tokens)
        return found

    def _tokens(self, picture: Tensor) -> Tensor:
        """Return what the first block sees, ``[B, T, C]`` float32."""
        patches = self._embedded(picture.to(self._precision))
        tokens = torch.empty((len(patches), patches.shape[1] + 1, patches.shape[2]), dtype=torch.float32)
        tokens[:, :1] = self._first
        torch.add(patches, self._positions, out=tokens[:, 1:])
        return tokens

    def _attention(self, tokens: Tensor, block: _Block) -> Tensor:
        """Return what the heads of a block found, ``[B, T, C]``."""
        batch, count, _ = tokens.shape
        asked = block.asked(self._normal(tokens, block.norms[0])).view(batch, count, 3, block.heads, -1)
        queries, keys, values = asked.permute(2, 0, 3, 1, 4).reshape(3, batch * block.heads, count, -1).unbind(0)
        found = torch.bmm(torch.bmm(queries, keys.transpose(1, 2)).softmax(dim=-1), values)
        side_by_side = found.view(batch, block.heads, count, -1).transpose(1, 2).reshape(batch, count, -1)
        return block.told(side_by_side)

    def _normal(self, tokens: Tensor, norm: nn.LayerNorm) -> Tensor:
        shape = cast(list[int], norm.normalized_shape)
        return functional.layer_norm(tokens, shape, norm.weight, norm.bias, norm.eps).to(self._precision)


def short_pass(net: Any, spec: ExtractorSpec, precision: torch.dtype) -> ShortPass | None:
    """Return the short pass of a net that timm built, None where the net or what is tapped of it asks for more.

    Args:
        net: its weights in float32.
        spec: of the extractor that it belongs to.
        precision: in which it computes.
    """
    tapped = all(tap.block >= 0 and not tap.norm and tap.pool in ("patch-mean", "cls") for tap in spec.taps)
    if precision is not torch.bfloat16 or not tapped or not _is_plain(net):
        return None
    return ShortPass(net, spec, precision)


def _is_plain(net: Any) -> bool:
    """Whether all that the net does between pixels and layers is what :class:`ShortPass` does."""
    timms = _timms()
    if type(net) is not timms.VisionTransformer or type(net.patch_embed) is not timms.PatchEmbed:
        return False
    plain_tokens = (
        net.num_prefix_tokens == 1
        and not (net.no_embed_class or net.dynamic_img_size)
        and all(part is not None for part in (net.cls_token, net.pos_embed))
        and all(isinstance(layer, nn.Identity) for layer in (net.patch_embed.norm, net.patch_drop, net.norm_pre))
    )
    return plain_tokens and all(_is_plain_block(block, int(net.pos_embed.shape[1])) for block in net.blocks)


def _is_plain_block(block: Any, tokens: int) -> bool:
    """Whether a block is attention and two products, and its scores take no more room than its widest layer."""
    timms = _timms()
    if type(block) is not timms.Block or type(block.attn) is not timms.Attention or type(block.mlp) is not timms.Mlp:
        return False
    attention, inner = block.attn, block.mlp
    nothing = (attention.q_norm, attention.k_norm, getattr(attention, "norm", None), inner.norm)
    return (
        all(layer is None or isinstance(layer, nn.Identity) for layer in nothing)
        and getattr(attention, "gate", None) is None
        and all(type(layer) in (timms.LayerScale, nn.Identity) for layer in (block.ls1, block.ls2))
        and all(type(layer) in (timms.DropPath, nn.Identity) for layer in (block.drop_path1, block.drop_path2))
        and all(isinstance(norm, nn.LayerNorm) for norm in (block.norm1, block.norm2))
        and all(type(layer) is nn.Linear for layer in (attention.qkv, attention.proj, inner.fc1, inner.fc2))
        and attention.num_heads * tokens <= 2 * inner.fc1.out_features
    )


def _timms() -> ModuleType:
    """Return the module in which timm has its vision transformer and all parts of it."""
    timm_module()
    return importlib.import_module("timm.models.vision_transformer")


def _laid_out(block: Any, precision: torch.dtype) -> _Block:
    attention, inner = block.attn, block.mlp
    return _Block(
        norms=(block.norm1, block.norm2),
        scales=(_scale(block.ls1), _scale(block.ls2)),
        heads=attention.num_heads,
        asked=_of_heads(attention, precision),
        told=_product(attention.proj.weight, attention.proj.bias, precision),
        widened=_product(inner.fc1.weight, inner.fc1.bias, precision),
        activation=inner.act,
        narrowed=_product(inner.fc2.weight, inner.fc2.bias, precision),
    )


def _scale(layer: nn.Module) -> Tensor:
    gamma = getattr(layer, "gamma", None)
    return torch.ones(()) if gamma is None else cast(Tensor, gamma).detach()


def _of_heads(attention: Any, precision: torch.dtype) -> Product:
    """Return the product that gives queries, keys and values: queries scaled, keys without a bias."""
    width = attention.attn_dim
    weight = attention.qkv.weight.detach().clone()
    weight[:width] *= attention.scale
    bias = attention.qkv.bias
    if bias is not None:
        bias = bias.detach().clone()
        bias[:width] *= attention.scale
        bias[width : 2 * width] = 0.0
    return _product(weight, bias, precision)


def _product(weight: Tensor, bias: Tensor | None, precision: torch.dtype) -> Product:
    """Return the function that multiplies rows by *weight* and adds *bias*."""
    kept, added = weight.detach().to(precision), None if bias is None else bias.detach().to(precision)
    if not _lays_weights_out():
        return lambda rows: functional.linear(rows, kept, added)
    laid_out = torch.ops.mkldnn._reorder_linear_weight(kept, _ROWS)
    return lambda rows: cast(Tensor, torch.ops.mkldnn._linear_pointwise(rows, laid_out, added, "none", [], ""))


def _lays_weights_out() -> bool:
    """Whether this torch has oneDNN, and that multiplies bfloat16 here; without, the same sums cost a tenth more."""
    own = torch.ops.mkldnn
    names = ("_is_mkldnn_bf16_supported", "_reorder_linear_weight", "_linear_pointwise")
    return all(hasattr(own, name) for name in names) and bool(own._is_mkldnn_bf16_supported())


def _mean(tokens: Tensor) -> Tensor:
    """Return the mean over all tokens but the first, added up in the same order whatever the batch."""
    return tokens[:, 1:].transpose(1, 2).contiguous().mean(dim=-1)


def _mean_of_patches(hidden: Tensor) -> Tensor:
    """Return the mean over all tokens but the first, by a product: it adds up in float32."""
    batch, count, _ = hidden.shape
    shares = hidden.new_full((1, 1, count), 1.0)
    shares[..., 0] = 0.0
    return torch.bmm(shares.expand(batch, 1, count), hidden)[:, 0] / (count - 1)
