"""A decoder that writes a text back from its vector alone (TSDAE, Wang et al. 2021, section 3).

It is the encoder once more: the same layers, now looking back only, each of which reads the vector
between its two halves. Nothing else of the text reaches it, so that all has to be in the vector.
"""

import copy
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from likewise.errors import InputError
from likewise.models.architectures.layers import Decodes, LayerNorm, Linear, initialise
from likewise.models.architectures.mlm_heads import MlmHead
from likewise.models.dropout import drop
from likewise.models.encoder import Encoder
from likewise.models.mlm_head import find_head
from likewise.text.packed import Packed, filled, pack

SPREAD = 0.02  # of fresh weights, as in BERT
IGNORED = -100  # the label of a row that is asked for nothing, as in torch


class VectorAttention(nn.Module):
    """Cross-attention to one vector a text.

    The soft-max over a single key is 1, whatever query and key are: what comes out is the
    projected value of the vector, the same for every token of the text. So it is computed once a
    text, and there are no weights for queries and keys, which would never get a gradient. Only
    the dropout of that one attention weight is left out: it would hide the vector from a head.
    """

    def __init__(self, n_in: int, width: int, *, eps: float, dropout: float, norms: bool) -> None:
        """Leave the matrices empty: they are drawn by `initialise`.

        Args:
            n_in: D of the vector.
            width: H of the hidden states.
            eps: of the norm.
            dropout: of what is added.
            norms: normalise behind the residual, where the layers do so too.
        """
        super().__init__()
        self.dropout = dropout
        self.value = Linear(n_in, width)
        self.out = Linear(width, width)
        self.norm = LayerNorm(width, eps=eps) if norms else nn.Identity()

    def forward(self, x: Tensor, vectors: Tensor, owners: Tensor) -> Tensor:
        """Add to each token [T, H] what is read of its text's vector [S, D]; `owners` is [T]."""
        read = self.out(self.value(vectors)).index_select(0, owners)
        if self.training and self.dropout > 0:
            read = drop(read, self.dropout)
        return self.norm(x + read)  # type: ignore[no-any-return]  # a module's call is untyped


class DenoisingDecoder(nn.Module):
    """The backbone as a decoder: cross-attention and a head of its own, all else shared or copied.

    Attributes:
        crosses: of each layer.
        head: from states to the vocabulary, through the backbone's own table where it is tied.
        own: a copy of the backbone, where the weights are not shared.
    """

    def __init__(
        self,
        backbone: Decodes,
        head: MlmHead,
        *,
        n_in: int,
        filler: int,
        longest: int,
        tie: bool,
    ) -> None:
        """Leave the matrices of the cross-attention empty.

        Args:
            backbone: of the encoder.
            head: to its vocabulary.
            n_in: D of the vectors.
            filler: a token id to fill streams with.
            longest: tokens that a text may have.
            tie: share the backbone's weights, or train a copy of them.
        """
        super().__init__()
        width, eps = backbone.width, backbone.norm.eps
        self.filler, self.longest = filler, longest
        self.crosses = nn.ModuleList(
            VectorAttention(
                n_in, width, eps=eps, dropout=backbone.dropout, norms=backbone.norms_after
            )
            for _ in backbone.layers
        )
        self.head = head
        self.own = None if tie else copy.deepcopy(cast("nn.Module", backbone))
        # in a tuple, which torch does not look into: the encoder's weights are saved with it alone
        self._shared = (backbone,)

    @property
    def backbone(self) -> Decodes:
        """Whose layers decode: the encoder's, or the copy."""
        return self._shared[0] if self.own is None else cast("Decodes", self.own)

    def forward(
        self, vectors: Tensor, texts: Packed, *, dtype: torch.dtype = torch.float32
    ) -> tuple[Tensor, Tensor]:
        """Read each text but its last token, and say what has to follow each token.

        Args:
            vectors: [S, D], one a text.
            texts: S texts as they should be, each of two tokens at least; those that `pooled`
                hides are given and never asked for.
            dtype: of the arithmetic.

        Returns:
            States [T', H] of a stream with filler in it, to be compared with `table`, and the
            labels [T'] of its rows: the next token, or IGNORED.
        """
        inputs, labels = _shift(texts)
        stream, place = filled(inputs, self.filler, longest=self.longest)
        if place is not None:
            at, more = int(stream.starts[place]), int(stream.lengths[place])
            labels = torch.cat([labels[:at], labels.new_full((more,), IGNORED), labels[at:]])
            nothing = vectors.new_zeros(1, vectors.shape[1])
            vectors = torch.cat([vectors[:place], nothing, vectors[place:]])
        return self.head(self._read(vectors, stream, dtype)), labels

    @property
    def table(self) -> Tensor:
        """[V, H], a row for each piece of the vocabulary."""
        return self.head.rows(self.backbone.tokens)

    def scores(
        self, vectors: Tensor, texts: Packed, *, dtype: torch.dtype = torch.float32
    ) -> Tensor:
        """[S, D] and T tokens to a score for each piece to follow each token, [T, V] float32."""
        return self.head.logits(self._read(vectors, texts, dtype), self.backbone.tokens)

    def _read(self, vectors: Tensor, texts: Packed, dtype: torch.dtype) -> Tensor:
        """What the backbone makes of the tokens when each layer reads the vectors: [T, H]."""
        vectors, owners = vectors.to(dtype), texts.owners()
        read = [partial(cross, vectors=vectors, owners=owners) for cross in self.crosses]
        return self.backbone(replace(texts, pooled=None), dtype=dtype, between=read)

    @torch.no_grad()
    def rebuild(
        self,
        vectors: Tensor,
        *,
        begin: Sequence[int],
        end: int | None,
        most: int,
        dtype: torch.dtype = torch.float32,
    ) -> list[list[int]]:
        """Write the likeliest token after the likeliest token, from the vector alone.

        Args:
            vectors: [S, D].
            begin: token ids that every text begins with, one at least.
            end: the token behind which a text is finished; None for no such token.
            most: tokens a text, those it begins with among them.
            dtype: of the arithmetic.

        Returns:
            The token ids of each text.
        """
        texts = [list(begin) for _ in range(len(vectors))]
        open_texts = list(range(len(texts)))
        while open_texts and len(begin) < most:
            packed = pack([texts[i] for i in open_texts]).to(vectors.device)
            hidden = self._read(vectors[open_texts], packed, dtype)
            last = hidden[packed.starts[1:].to(hidden.device) - 1]
            chosen = self.head.logits(last, self.backbone.tokens).argmax(dim=1).tolist()
            for i, token in zip(open_texts, chosen, strict=True):
                texts[i].append(token)
            open_texts = [i for i in open_texts if texts[i][-1] != end and len(texts[i]) < most]
        return texts


def build_decoder(encoder: Encoder, *, tie: bool = True, seed: int) -> DenoisingDecoder:
    """A decoder over the layers of an encoder.

    Its head is the one that the checkpoint brings, or that `--method mlm` trained; else it is new,
    as the cross-attention always is.

    Args:
        encoder: whose vectors it shall read.
        tie: share the encoder's weights, as the paper found best; else train a copy of them.
        seed: of the weights that are new.

    Raises:
        InputError: the family has no layers of ours, and so cannot look back only.
    """
    backbone = encoder.backbone
    if not isinstance(backbone, Decodes):
        family = encoder.contents.config.get("model_type")
        problem = f'"{family}" has no layers here that could write a text back from its vector'
        mend = "take a base of BERT's or ModernBERT's families, or --method simcse"
        raise InputError(problem, mend=mend)
    draw = torch.Generator().manual_seed(seed)
    own_seed = int(torch.randint(2**31, (), generator=draw))  # the head draws other numbers
    decoder = DenoisingDecoder(
        backbone,
        find_head(encoder.contents, seed=own_seed).head,
        n_in=encoder.dimensions,
        filler=encoder.tokenizer.empty_id,
        longest=encoder.max_tokens,
        tie=tie,
    )
    initialise(decoder.crosses, std=SPREAD, generator=draw)
    return decoder.to(encoder.device).eval()


def _shift(texts: Packed) -> tuple[Packed, Tensor]:
    """The texts without their last tokens, [T - S], and for each token the next one."""
    shortest = int(texts.lengths.min())
    if shortest < 2:
        raise ValueError("a text of one token has nothing to write")
    firsts, lasts = texts.starts[:-1].to(texts.ids.device), texts.starts[1:].to(texts.ids.device)
    is_input = torch.ones_like(texts.ids, dtype=torch.bool)
    is_input[lasts - 1] = False
    is_label = torch.ones_like(is_input)
    is_label[firsts] = False
    labels = texts.ids if texts.pooled is None else texts.ids.masked_fill(~texts.pooled, IGNORED)
    starts = texts.starts - torch.arange(len(texts.starts))
    return Packed(ids=texts.ids[is_input], starts=starts), labels[is_label]
