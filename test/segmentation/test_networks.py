"""Networks: sizes, parameter counts, and that the tie ties."""

import pytest

torch = pytest.importorskip('torch', reason='training needs the `train` extra')

from mav_perception.errors import ConfigurationError  # noqa: E402
from mav_perception.segmentation.networks import (  # noqa: E402
    NETWORKS,
    build_network,
    count_parameters,
)
from mav_perception.segmentation.networks.tied_dilation import TiedDilationNetwork  # noqa: E402


@pytest.mark.parametrize('name', NETWORKS)
@pytest.mark.parametrize(('channels', 'classes'), [(1, 2), (3, 4), (3, 7)])
def test_logits_have_the_size_of_the_input(name, channels, classes):
    network = build_network(name, channels, classes).eval()
    stride = network.stride
    for rows, columns in ((8 * stride, 10 * stride), (5 * stride, 7 * stride)):
        logits = network(torch.zeros(2, channels, rows, columns))
        assert logits.shape == (2, classes, rows, columns)


def test_mavnet_has_the_published_number_of_parameters():
    # The public copy has 4,324; 20 of them are a skip that it never uses.
    assert count_parameters(build_network('mavnet', 3, 4)) == 4304


def test_depth_of_the_tied_block_costs_only_batch_norms():
    shallow = TiedDilationNetwork(1, 2, width=48, dilations=(1, 2))
    deep = TiedDilationNetwork(1, 2, width=48, dilations=(1, 2) * 8)
    norms_of_a_depth = 2 * 2 * 48
    assert count_parameters(deep) - count_parameters(shallow) == 14 * norms_of_a_depth


def test_every_depth_sends_its_gradient_to_the_shared_kernels():
    network = TiedDilationNetwork(1, 2)
    block = network.tied
    features = torch.randn(2, 48, 16, 16)
    block(features).square().mean().backward()
    assert block.spatial.grad.abs().sum() > 0
    # Without its last depths the shared kernel gets another gradient: they all count.
    whole = block.spatial.grad.clone()
    block.zero_grad()
    block.dilations = block.dilations[:2]
    block.inner_norms, block.outer_norms = block.inner_norms[:2], block.outer_norms[:2]
    block(features).square().mean().backward()
    assert not torch.allclose(whole, block.spatial.grad)


@pytest.mark.parametrize('bad', [('resnet', 3, 2), ('tied', 2, 2), ('tied', 3, 1)])
def test_impossible_networks_are_refused(bad):
    with pytest.raises(ConfigurationError):
        build_network(*bad)
