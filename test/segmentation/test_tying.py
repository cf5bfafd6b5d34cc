"""Ties: the papers' equalities, and that counting, gradients, checkpoints and export know them."""

import copy
from itertools import pairwise

import numpy as np
import onnx
import onnxruntime
import pytest

torch = pytest.importorskip('torch', reason='training needs the `train` extra')

from torch.nn import functional  # noqa: E402

from mav_perception.segmentation.networks import build_network, count_parameters  # noqa: E402
from mav_perception.segmentation.networks.equilibrium import EquilibriumBlock  # noqa: E402
from mav_perception.segmentation.networks.layers import TrainingOutput  # noqa: E402
from mav_perception.segmentation.tying import (  # noqa: E402
    ClassEmbedding,
    JointSpace,
    count_without_ties,
    reflect,
    tied_parameters,
    ties_of,
)
from mav_perception.training.export import write_onnx  # noqa: E402

TIED = ('tied', 'tied_light', 'embedded', 'joint', 'reflected', 'streaming', 'equilibrium')


def first_logits(network, image):
    """Return the logits of the last head, in training mode too."""
    output = network(image)
    return output.logits[0] if isinstance(output, TrainingOutput) else output


@pytest.mark.parametrize('name', TIED)
def test_a_tied_weight_is_counted_once_and_named(name):
    network = build_network(name, 1, 3)
    ties = ties_of(network)
    assert ties
    saved = 0
    for tie in ties:
        parameters = tied_parameters(network, tie)
        assert parameters, tie
        saved += (tie.uses - 1) * sum(p.numel() for p in parameters.values())
    assert count_without_ties(network) - count_parameters(network) == saved > 0


def test_networks_without_ties_declare_none():
    for name in ('untied', 'untied_light', 'mavnet', 'unet'):
        network = build_network(name, 1, 2)
        assert ties_of(network) == ()
        assert count_without_ties(network) == count_parameters(network)


def test_the_light_tie_is_that_of_its_twin():
    tied, untied = (build_network(name, 1, 2) for name in ('tied_light', 'untied_light'))
    assert count_without_ties(tied) == count_parameters(untied)


@pytest.mark.parametrize('name', TIED)
def test_the_gradient_of_a_tied_weight_is_that_of_all_its_uses(name):
    torch.manual_seed(1)
    network = build_network(name, 1, 3).double().eval()
    if name == 'streaming':
        torch.nn.init.normal_(network.recall.weight, std=0.1)
    if name == 'equilibrium':
        network.context.iterations = 80  # the implicit gradient is that of the exact fixed point
    image = torch.randn(1, 1, 32, 32, dtype=torch.float64)
    image = torch.stack([image, image.roll(2, -1)]) if name == 'streaming' else image

    def loss():
        logits = first_logits(network, image)
        return (logits * torch.linspace(-1, 1, logits.numel()).view_as(logits)).sum()

    loss().backward()
    for tie in ties_of(network):
        for path, weight in tied_parameters(network, tie).items():
            direction = torch.randn_like(weight)
            expected = float((weight.grad * direction).sum())
            step, values = 1e-6, []
            with torch.no_grad():
                for sign in (1.0, -1.0):
                    weight += sign * step * direction
                    values.append(float(loss()))
                    weight -= sign * step * direction
            found = (values[0] - values[1]) / (2.0 * step)
            assert found == pytest.approx(expected, rel=1e-4, abs=1e-6), path
            assert abs(found) > 1e-9, path


@pytest.mark.parametrize('name', TIED)
def test_a_checkpoint_holds_a_tied_weight_once_and_gives_the_network_back(name, tmp_path):
    network = build_network(name, 1, 2).eval()
    torch.save(network.state_dict(), tmp_path / 'one.pt')
    state = torch.load(tmp_path / 'one.pt', weights_only=True)
    trained = sum(state[key].numel() for key, _ in network.named_parameters())
    assert trained == count_parameters(network)
    again = build_network(name, 1, 2).eval()
    again.load_state_dict(state)
    image = torch.randn(1, 1, 64, 64)
    torch.testing.assert_close(again(image), network(image))
    twin = copy.deepcopy(network)  # as the average of the trainer is made
    torch.testing.assert_close(twin(image), network(image))


@pytest.mark.parametrize('name', TIED)
def test_an_exported_network_gives_the_same_and_holds_no_weight_twice(name, tmp_path):
    network = build_network(name, 1, 2).eval()
    path = tmp_path / 'network.onnx'
    write_onnx(network, (1, 64, 96), path)
    image = torch.randn(1, 1, 64, 96)
    ours = network(image).detach().numpy()
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    inputs = {'image': image.numpy()}
    if name == 'streaming':
        inputs['hidden'] = np.zeros((1, 64, 8, 12), np.float32)
    np.testing.assert_allclose(session.run(None, inputs)[0], ours, atol=1e-4)
    stored = sum(
        np.prod(item.dims) for item in onnx.load(path).graph.initializer if len(item.dims) > 1
    )
    # Views such as the reflected kernel are stored beside what they are made of, once each.
    views = sum(
        p.numel() for tie in ties_of(network) for p in tied_parameters(network, tie).values()
    )
    assert stored <= count_parameters(network) + views


def test_reflection_flips_half_of_the_dimensions_and_is_its_own_inverse():
    weight = torch.randn(6, 4, 3, 3)
    flipped = reflect(weight, 0)
    torch.testing.assert_close(flipped[:3], weight[:3])
    torch.testing.assert_close(flipped[3:], -weight[3:])
    torch.testing.assert_close(reflect(flipped, 0), weight)
    # C = Q W makes W^T C symmetric with half of its eigenvalues below zero.
    vectors = torch.randn(8, 30, dtype=torch.float64)
    product = vectors.t() @ reflect(vectors, 0)
    torch.testing.assert_close(product, product.t())
    values = torch.linalg.eigvalsh(product)
    assert int((values > 1e-9).sum()) == int((values < -1e-9).sum()) == 4


def test_plain_softmax_tying_and_bilinear_are_cases_of_the_joint_space():
    torch.manual_seed(0)
    classes, width = 5, 8
    features, bias = torch.randn(2, width, 3, 4), torch.randn(classes)
    vectors = torch.randn(classes, width)
    eye = torch.eye(width)

    def joint(of_labels, of_pixels, embeddings, label_bias=None, activation='identity'):
        space = JointSpace(width, len(of_labels), activation)
        with torch.no_grad():
            space.of_labels.weight.copy_(of_labels)
            space.of_pixels.weight.copy_(of_pixels)
            for layer in (space.of_labels, space.of_pixels):
                layer.bias.zero_()
            if label_bias is not None:
                space.of_labels.bias.copy_(label_bias)
        return space(embeddings, features, bias)

    embedding = ClassEmbedding(classes, width)
    with torch.no_grad():
        embedding.vectors.copy_(vectors)
        embedding.bias.copy_(bias)
    torch.testing.assert_close(joint(eye, eye, vectors), embedding.classify(features))
    maps = torch.randn(3, width), torch.randn(3, width)
    bilinear = torch.einsum('ck,jk,jw,bwhx->bchx', vectors, *maps, features)
    torch.testing.assert_close(joint(*maps, vectors), bilinear + bias.view(1, -1, 1, 1))
    weights = torch.randn(classes, width)
    one_hot = torch.eye(classes, width)  # E = identity: every label has a row of its own
    of_labels = torch.zeros(width, width)
    of_labels[:, :classes] = weights.t()
    plain = functional.conv2d(features, weights[:, :, None, None], bias)
    torch.testing.assert_close(joint(of_labels, eye, one_hot), plain)
    bent = joint(*maps, vectors, activation='tanh')
    assert not torch.allclose(bent, joint(*maps, vectors))


def test_the_three_uses_of_a_class_vector_change_with_it():
    network = build_network('embedded', 1, 3).train()
    image = torch.randn(2, 1, 64, 64)
    output = network(image)
    assert [len(output.logits), output.weights] == [2, (1.0, 0.4)]
    assert float(output.penalty.detach()) > 0.0
    with torch.no_grad():
        network.embedding.vectors[1] += 1.0
    for before, after in zip(output.logits, network(image).logits, strict=True):
        assert not torch.allclose(before, after)


def test_the_fixed_point_is_reached_at_a_linear_rate_whatever_the_weights():
    torch.manual_seed(3)
    block = EquilibriumBlock(16).eval()
    with torch.no_grad():
        for weight in (block.mix, block.spatial):
            weight.mul_(50.0)  # far outside any bound
    injected = torch.randn(1, 16, 24, 24)
    layer = block.layer(injected)
    steps, hidden = [], injected
    with torch.no_grad():
        for _ in range(30):
            following = layer(hidden)
            steps.append(float((following - hidden).abs().max()))
            hidden = following
        rates = [b / a for a, b in pairwise(steps) if a > 1e-5]
        assert max(rates) <= block.gamma + 1e-3
        # From anywhere else it goes to the same point.
        other = 100.0 * torch.randn_like(injected)
        for _ in range(80):
            other, hidden = layer(other), layer(hidden)
    torch.testing.assert_close(other, hidden, atol=1e-4, rtol=1e-4)


def test_the_implicit_gradient_is_that_of_unrolling():
    torch.manual_seed(4)
    block = EquilibriumBlock(8).double().eval()
    block.iterations = 90
    features = torch.randn(1, 8, 12, 12, dtype=torch.float64, requires_grad=True)
    block(features).square().sum().backward()
    implicit = features.grad.clone(), block.mix.grad.clone()
    features.grad = None
    block.zero_grad()
    injected = block.inject(features)
    hidden, layer = injected, block.layer(injected)
    for _ in range(90):
        hidden = layer(hidden)
    (features + functional.relu(block.norm(hidden))).square().sum().backward()
    torch.testing.assert_close(implicit[0], features.grad, atol=1e-7, rtol=1e-6)
    torch.testing.assert_close(implicit[1], block.mix.grad, atol=1e-7, rtol=1e-6)


def test_a_frame_remembers_the_one_before_and_a_cut_forgets_it():
    torch.manual_seed(5)
    network = build_network('streaming', 1, 2).eval()
    first, second = torch.randn(2, 1, 1, 64, 64)
    alone, hidden = network.step(first, None)
    torch.testing.assert_close(alone, network(first))
    # It starts as the network of single frames.
    torch.testing.assert_close(network.step(second, hidden)[0], network(second))
    torch.nn.init.normal_(network.recall.weight, std=0.3)
    remembered = network.step(second, network.step(first, None)[1])[0]
    assert not torch.allclose(remembered, network(second))
    clip = network(torch.stack([first, second]))
    torch.testing.assert_close(clip, torch.cat([network(first), remembered]))
    torch.testing.assert_close(network.step(second, torch.zeros_like(hidden))[0], network(second))
