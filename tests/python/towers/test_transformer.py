"""The transformer against torch's own encoder, text by text and padded; its options."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from small_models import WORDS
from twotower.errors import InvalidInputError
from twotower.text import Vocabulary
from twotower.towers import TwoTower
from twotower.towers.transformer import TransformerTower, sinusoids

TEXTS = [[1, 2, 3], [4], [], [5, 6, 7, 8, 9, 1], [2, 2, 7]]
IDS, OFFSETS = torch.tensor([term for text in TEXTS for term in text]), torch.tensor([0, 3, 4, 4, 10, 13])


def torch_layer(layer, dim, heads):
    """Torch's own encoder layer with the weights of ours."""
    theirs = nn.TransformerEncoderLayer(
        dim, heads, layer.network[0].out_features, 0.0, "gelu", batch_first=True, norm_first=layer.is_pre
    )
    pairs = {
        "self_attn.in_proj_": layer.to_heads, "self_attn.out_proj.": layer.from_heads, "linear1.": layer.network[0],
        "linear2.": layer.network[2], "norm1.": layer.attention_norm, "norm2.": layer.network_norm,
    }  # fmt: skip
    theirs.load_state_dict(
        {f"{name}{part}": getattr(ours, part) for name, ours in pairs.items() for part in ("weight", "bias")}
    )
    return theirs.to(layer.to_heads.weight.dtype)


def by_definition(norm, states):
    """What a layer norm is, with the weights of ours."""
    spread = states.var(dim=1, keepdim=True, unbiased=False) + 1e-5
    return (states - states.mean(dim=1, keepdim=True)) / spread.sqrt() * norm.weight + norm.bias


def by_torch(tower, text, n_padding=0):
    """One text through torch's own layers, padded at its end; [out_dim]."""
    if not text:
        return torch.zeros(tower.out_dim, dtype=torch.float64)
    states = tower.embedding(torch.tensor(text))
    if tower.positions == "sinusoidal":
        states = states + sinusoids(len(text), tower.dim)
    elif tower.positions == "learned":
        states = states + tower.places[: len(text)]
    if tower.pooling == "cls":
        states = torch.cat([tower.cls[None], states])
    n_states = len(states)
    if not tower.layers[0].is_pre:
        states = by_definition(tower.first_norm, states)
    states = torch.cat([states, torch.full((n_padding, tower.dim), 7.0, dtype=torch.float64)])[None]
    hidden = torch.arange(n_states + n_padding)[None] >= n_states
    for layer in tower.layers:
        states = torch_layer(layer, tower.dim, layer.heads)(states, src_key_padding_mask=hidden)
    states = states[0, :n_states]
    if tower.layers[0].is_pre:
        states = by_definition(tower.norm, states)
    pooled = {"cls": states[0], "mean": states.mean(dim=0), "max": states.max(dim=0).values}[tower.pooling]
    return tower.projection(pooled)


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize(("positions", "pooling"), [("sinusoidal", "mean"), ("learned", "cls"), ("none", "max")])
@pytest.mark.parametrize("n_padding", [0, 5])
def test_equals_torchs_own_layers_text_by_text_and_padded(norm, positions, pooling, n_padding):
    torch.manual_seed(0)
    tower = TransformerTower(
        20, dim=8, heads=2, hidden=12, norm=norm, positions=positions, pooling=pooling, out_dim=5
    ).double()
    for module in tower.modules():  # away from what norms start as
        if isinstance(module, nn.LayerNorm):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    found = tower(IDS, OFFSETS)
    expected = torch.stack([by_torch(tower, text, n_padding) for text in TEXTS])
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)  # places are float32


def test_gradient_is_that_of_finite_differences():
    torch.manual_seed(0)
    tower = TransformerTower(20, dim=4, heads=2, hidden=5, layers=1).double()
    rows = torch.randn(20, 4, dtype=torch.float64, requires_grad=True)

    def read(rows):
        return torch.func.functional_call(tower, {"embedding.weight": rows}, (IDS, OFFSETS))

    assert torch.autograd.gradcheck(read, (rows,))


def test_places_by_hand():
    found = sinusoids(3, 4)
    expected = [[math.sin(p), math.cos(p), math.sin(p / 100), math.cos(p / 100)] for p in range(3)]
    torch.testing.assert_close(found, torch.tensor(expected))
    assert sinusoids(2, 3).shape == (2, 3)


@pytest.mark.parametrize(("positions", "sees"), [("sinusoidal", True), ("learned", True), ("none", False)])
def test_only_places_make_it_see_order(positions, sees):
    model = TwoTower.transformer(Vocabulary(WORDS), "plain", dim=8, heads=2, positions=positions)
    vectors = model.encode_queries(["word1 word2 word3", "word3 word1 word2"])
    assert (np.abs(vectors[0] - vectors[1]).max() > 1e-3) == sees


def test_a_term_changes_the_states_of_the_others():
    """Not a mean of what each term gives by itself."""
    model = TwoTower.transformer(Vocabulary(WORDS), "plain", dim=8, heads=2, positions="none", similarity="dot")
    both, first, second = model.encode_queries(["word1 word2", "word1", "word2"])
    assert np.abs(both - (first + second) / 2).max() > 1e-3


def test_learned_places_end():
    model = TwoTower.transformer(Vocabulary(WORDS), "plain", dim=8, positions="learned", max_positions=3)
    model.encode_queries(["word1 word2 word3"])
    with pytest.raises(InvalidInputError, match="a text has 4 terms, max_positions is 3"):
        model.encode_queries(["word1", "word1 word2 word3 word4"])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"heads": 3}, "multiple of heads"),
        ({"norm": "none"}, "post, pre"),
        ({"positions": "relative"}, "learned, none, sinusoidal"),
        ({"pooling": "last"}, "cls, max, mean"),
        ({"layers": 0}, "layers is 0"),
        ({"hidden": -1}, "hidden is -1"),
        ({"dropout": 1}, "dropout"),
    ],
)
def test_options_are_checked(option, message):
    with pytest.raises(InvalidInputError, match=message):
        TwoTower.transformer(Vocabulary(WORDS), "plain", **{"dim": 8, **option})
