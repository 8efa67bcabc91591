import pytest
import torch

from small_models import MAKES, WORDS


@pytest.fixture(params=MAKES, ids=lambda make: "-".join([make[0], *map(str, make[1].values())]))
def make(request):
    return request.param


@pytest.fixture
def texts():
    generator = torch.Generator().manual_seed(0)
    lengths = [3, 1, 7, 0, 2, 40, 5]
    return [" ".join(WORDS[i] for i in torch.randint(20, (n,), generator=generator).tolist()) for n in lengths]
