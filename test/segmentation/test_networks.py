"""Networks: sizes, parameter counts, and that the tie ties."""

import re

import pytest

torch = pytest.importorskip('torch', reason='training needs the `train` extra')

from mav_perception.errors import ConfigurationError  # noqa: E402
from mav_perception.segmentation.networks import (  # noqa: E402
    NETWORKS,
    build_network,
    count_parameters,
)
from mav_perception.segmentation.networks.tied_dilation import DilationBlock  # noqa: E402


@pytest.mark.parametrize('name', NETWORKS)
@pytest.mark.parametrize(('channels', 'classes'), [(1, 2), (3, 4), (3, 7)])
def test_logits_cover_the_input_at_a_fraction_that_can_be_restored(name, channels, classes):
    network = build_network(name, channels, classes).eval()
    stride = network.stride
    for rows, columns in ((8 * stride, 10 * stride), (5 * stride, 7 * stride)):
        logits = network(torch.zeros(2, channels, rows, columns))
        ratio = rows // logits.shape[2]
        assert ratio in (1, 2, 4, 8)
        assert logits.shape == (2, classes, rows // ratio, columns // ratio)


@pytest.mark.parametrize(
    ('name', 'parameters'),
    # MAVNet's public copy has 4,324; 20 of them are a skip that it never uses. ERFNet and
    # Fast-SCNN: 2.06 and 1.1 million in their papers.
    [('mavnet', 4304), ('erfnet', 2063216), ('fast_scnn', 1135860), ('unet', 482788)],
)
def test_baselines_have_the_published_number_of_parameters(name, parameters):
    assert count_parameters(build_network(name, 3, 4)) == parameters


def test_tying_saves_seven_of_eight_sets_of_kernels():
    tied, untied = (build_network(name, 1, 2) for name in ('tied', 'untied'))
    kernels = 48 * 9 + 2 * 48 * 48
    assert count_parameters(untied) - count_parameters(tied) == 7 * kernels
    assert count_parameters(tied) < 100_000


def test_the_light_network_is_a_third_of_its_untied_twin():
    tied, untied = (build_network(name, 1, 2) for name in ('tied_light', 'untied_light'))
    assert count_parameters(tied) <= count_parameters(untied) / 3


def test_the_untied_twin_with_equal_kernels_is_the_tied_network():
    tied, untied = (build_network(name, 1, 2).eval() for name in ('tied', 'untied'))
    state = tied.state_dict()
    for key in untied.state_dict():
        if key not in state:
            state[key] = state[re.sub(r'kernels\.\d+', 'kernels.0', key)]
    untied.load_state_dict(state)
    image = torch.randn(1, 1, 64, 96)
    torch.testing.assert_close(tied(image), untied(image))


def test_depth_of_the_tied_block_costs_only_batch_norms():
    shallow = DilationBlock(48, (1, 2), tied=True)
    deep = DilationBlock(48, (1, 2) * 8, tied=True)
    norms_of_a_depth = 2 * 2 * 48
    assert count_parameters(deep) - count_parameters(shallow) == 14 * norms_of_a_depth


def test_every_depth_sends_its_gradient_to_the_shared_kernels():
    block = DilationBlock(48, (1, 2, 4, 8), tied=True)
    spatial = block.kernels[0].spatial
    features = torch.randn(2, 48, 16, 16)
    block(features).square().mean().backward()
    whole = spatial.grad.clone()
    assert whole.abs().sum() > 0
    # Without its last depths the shared kernel gets another gradient: they all count.
    block.zero_grad()
    block.dilations = block.dilations[:2]
    block(features).square().mean().backward()
    assert not torch.allclose(whole, spatial.grad)


@pytest.mark.parametrize('bad', [('resnet', 3, 2), ('tied', 2, 2), ('tied', 3, 1)])
def test_impossible_networks_are_refused(bad):
    with pytest.raises(ConfigurationError):
        build_network(*bad)
