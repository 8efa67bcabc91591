"""Time-delay layers against torch's convolution, and the sizes and gradients of the Siamese network of Bromley et al."""

import numpy as np
import pytest
import torch
from torch import nn

from small_models import WORDS
from twotower.errors import InputTypeError, InvalidInputError
from twotower.text import Vocabulary
from twotower.towers import TwoTower
from twotower.towers.sequences import SequenceEncoder, frames_of
from twotower.towers.time_delay import TimeDelayLayer, TimeDelayNetwork


def by_convolution(layer, sequence, channels):
    """One sequence [L, C] through torch's own convolution, with the layer's weights; [L', C']."""
    weights = layer.units.weight.view(len(layer.units.weight), layer.width, channels).transpose(1, 2)
    inputs = sequence.T[None]
    if layer.padded:
        left = (layer.width - 1) // 2
        needed = (-(-len(sequence) // layer.stride) - 1) * layer.stride + layer.width
        inputs = nn.functional.pad(inputs, (left, max(0, needed - left - len(sequence))))
    found = torch.tanh(nn.functional.conv1d(inputs, weights, layer.units.bias, stride=layer.stride))[0].T
    return found[: -(-len(sequence) // layer.stride)] if layer.padded else found


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize(("width", "stride"), [(1, 1), (2, 1), (3, 1), (3, 2), (4, 3), (5, 2), (2, 5)])
def test_a_layer_is_a_convolution_of_each_sequence_by_itself(padded, width, stride):
    torch.manual_seed(0)
    layer = TimeDelayLayer(3, 4, width, stride, padded=padded).double()
    lengths = [5, 9, 7, 6]
    sequences = [torch.randn(length, 3, dtype=torch.float64) for length in lengths]
    frames, found_lengths = layer(torch.cat(sequences), torch.tensor(lengths))
    expected = [by_convolution(layer, sequence, 3) for sequence in sequences]
    assert found_lengths.tolist() == [len(part) for part in expected]
    torch.testing.assert_close(frames, torch.cat(expected))


def test_empty_sequences_stay_empty_where_layers_are_padded():
    layer = TimeDelayLayer(2, 4, 3, 2, padded=True)
    frames, lengths = layer(torch.ones(3, 2), torch.tensor([0, 3, 0]))
    assert lengths.tolist() == [0, 2, 0]
    assert frames.shape == (2, 4)


def test_the_sizes_of_bromley_et_al():
    encoder = SequenceEncoder(8, [(12, 11, 3), (16, 10, 3)], pooling="flatten", n_frames=200)
    first, second = encoder.network.layers
    assert (first.units.weight.shape, second.units.weight.shape) == ((12, 8 * 11), (16, 12 * 10))
    frames, lengths = first(torch.zeros(400, 8), torch.tensor([200, 200]))
    assert (frames.shape, lengths.tolist()) == ((128, 12), [64, 64])
    frames, lengths = second(frames, lengths)
    assert (frames.shape, lengths.tolist()) == ((38, 16), [19, 19])
    assert encoder.out_dim == 19 * 16 == 304


def test_gradient_is_that_of_finite_differences():
    torch.manual_seed(0)
    network = TimeDelayNetwork(2, [(3, 3, 2), (2, 2, 1)]).double()
    frames = torch.randn(16, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: network(x, torch.tensor([7, 9]))[0], (frames,))


def test_the_gradient_of_tied_towers_is_the_sum_of_both_branches():
    """Against two towers of equal weights that each get the gradient of their own branch."""
    options = {"layers": [(5, 3, 1)], "dim": 6}
    tied, untied = (TwoTower.tdnn(Vocabulary(WORDS), "plain", tied=is_tied, **options) for is_tied in (True, False))
    assert tied.query_tower is tied.document_tower
    sides = [
        (torch.tensor([1, 2, 3, 4]), torch.tensor([0, 3, 4])),
        (torch.tensor([2, 5, 6, 1, 1]), torch.tensor([0, 2, 5])),
    ]
    for model in (tied, untied):
        queries, documents = model(*sides)
        ((queries * documents).sum(dim=1) - 1).square().sum().backward()
    for name, parameter in tied.query_tower.named_parameters():
        branches = [tower.get_parameter(name).grad for tower in (untied.query_tower, untied.document_tower)]
        assert all((branch != 0).any() for branch in branches)
        torch.testing.assert_close(parameter.grad, sum(branches))


def test_a_sequence_has_one_vector_whatever_stands_beside_it():
    generator = np.random.default_rng(0)
    sequences = [generator.standard_normal((length, 3)) for length in (7, 29, 12)]
    for pooling in ("mean", "max"):
        encoder = SequenceEncoder(3, [(6, 3, 1), (5, 3, 2)], pooling=pooling, out_dim=4, seed=1)
        alone = np.concatenate([encoder.encode([sequence]) for sequence in sequences])
        np.testing.assert_allclose(encoder.encode(sequences), alone, atol=1e-6)
        assert np.abs(encoder.encode([sequences[1][::-1]]) - alone[1]).max() > 1e-3
    assert encoder.encode([]).shape == (0, 4)


def test_equal_seeds_give_equal_encoders_and_leave_the_global_state():
    state = torch.get_rng_state()
    sequence = [np.ones((9, 3))]
    first, second, other = (SequenceEncoder(3, [(6, 3, 1)], seed=seed).encode(sequence) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - other).max() > 0.01


def test_what_does_not_fit_is_named():
    network = TimeDelayNetwork(3, [(4, 5, 1)])
    with pytest.raises(InvalidInputError, match="sequence 1 has 4 frames here, a receptive field 5"):
        network(torch.zeros(10, 3), torch.tensor([6, 4]))
    with pytest.raises(InputTypeError, match="channels, width, stride"):
        TimeDelayNetwork(3, [(4, 5)])
    with pytest.raises(InvalidInputError, match="empty"):
        TimeDelayNetwork(3, [])
    with pytest.raises(InvalidInputError, match="stride is 0"):
        TimeDelayNetwork(3, [(4, 5, 0)])
    with pytest.raises(InvalidInputError, match="flatten, max, mean"):
        SequenceEncoder(3, [(4, 5, 1)], pooling="last")
    with pytest.raises(InvalidInputError, match="n_frames belongs"):
        SequenceEncoder(3, [(4, 5, 1)], pooling="flatten")
    encoder = SequenceEncoder(3, [(4, 5, 1)], pooling="flatten", n_frames=10)
    with pytest.raises(InvalidInputError, match=r"sequences have \[9\] frames: this network takes 10"):
        encoder.encode([np.zeros((9, 3))])
    with pytest.raises(InvalidInputError, match=r"sequence 1 has the shape \(9, 2\)"):
        frames_of([np.zeros((9, 3)), np.zeros((9, 2))], 3)
    with pytest.raises(InvalidInputError, match="finite"):
        encoder.encode([np.full((10, 3), np.nan)])
    with pytest.raises(InvalidInputError, match="max, mean"):
        TwoTower.tdnn(Vocabulary(WORDS), "plain", pooling="last")
