"""Networks that others made: each kind of input and output is understood, or refused by name."""

from dataclasses import replace

import numpy as np
import pytest

onnx = pytest.importorskip('onnx', reason='networks are made with the `train` extra')

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from mav_perception.errors import ModelError  # noqa: E402
from mav_perception.segmentation.model_card import ModelCard, file_hash  # noqa: E402
from mav_perception.segmentation.segmenter import Segmenter  # noqa: E402

CARD = ModelCard(
    name='foreign', network='foreign', labels='drone', height=64, width=96, channels=1, mean=0.5,
    std=0.5, parameters=2, training_data='none', sha256='',
)  # fmt: skip

IMAGE = np.zeros((64, 96), np.uint8)
IMAGE[20:40, 30:70] = 255
BACKENDS = ['onnxruntime', 'openvino']

KINDS = ['logits', 'softmax', 'sigmoids', 'argmax', 'sigmoid', 'logit', 'several']


def constant(name, values, kind=np.float32):
    return numpy_helper.from_array(np.array(values, kind), name)


def head(kind, source='tensor'):
    """Return nodes, constants and (name, type) of outputs of one kind; bright is target."""
    sign = constant('sign', np.array([-9.0, 9.0]).reshape(1, 2, 1, 1))
    logits = [helper.make_node('Mul', [source, 'sign'], ['logits'])]
    floats = TensorProto.FLOAT
    if kind == 'logits':
        return logits, [sign], [('logits', floats)]
    if kind == 'softmax':
        nodes = [*logits, helper.make_node('Softmax', ['logits'], ['shares'], axis=1)]
        return nodes, [sign], [('shares', floats)]
    if kind == 'argmax':
        node = helper.make_node('ArgMax', ['logits'], ['ids'], axis=1, keepdims=0)
        return [*logits, node], [sign], [('ids', TensorProto.INT64)]
    if kind == 'sigmoid':
        nodes = [
            helper.make_node('Mul', [source, 'nine'], ['logit']),
            helper.make_node('Sigmoid', ['logit'], ['share']),
        ]
        return nodes, [constant('nine', 9.0)], [('share', floats)]
    if kind == 'logit':
        node = helper.make_node('Mul', [source, 'nine'], ['logit'])
        return [node], [constant('nine', 9.0)], [('logit', floats)]
    if kind == 'two inputs':
        nodes = [helper.make_node('Mul', [source, 'other'], ['scaled']),
                 helper.make_node('Mul', ['scaled', 'sign'], ['logits'])]  # fmt: skip
        return nodes, [sign], [('logits', floats)]
    if kind == 'mask':
        node = helper.make_node('Cast', ['high'], ['ids'], to=TensorProto.UINT8)
        nodes = [helper.make_node('Clip', [source, 'zero'], ['bright']),
                 helper.make_node('ReduceMin', ['bright'], ['darkest'], keepdims=1),
                 helper.make_node('Add', ['darkest', 'bright'], ['sum']),
                 helper.make_node('Mul', ['sum', 'white'], ['high']), node]  # fmt: skip
        return nodes, [constant('zero', 0.0), constant('white', 255.0)], [
            ('ids', TensorProto.UINT8)]  # fmt: skip
    if kind == 'sigmoids':
        nodes = [*logits, helper.make_node('Sigmoid', ['logits'], ['shares'])]
        return nodes, [sign], [('shares', floats)]
    if kind == 'several':
        node = helper.make_node('GlobalAveragePool', [source], ['mean'])
        return [node, *logits], [sign], [('mean', floats), ('logits', floats)]
    if kind == 'five classes':
        five = constant('five', np.arange(5.0).reshape(1, 5, 1, 1))
        return (
            [helper.make_node('Mul', [source, 'five'], ['scores'])],
            [five],
            [('scores', floats)],
        )
    assert kind == 'NaN'
    zero = constant('zero', np.zeros((1, 2, 1, 1)))
    return [helper.make_node('Div', ['zero', 'zero'], ['nothing']),
            helper.make_node('Mul', [source, 'nothing'], ['logits'])], [zero], [
                ('logits', floats)]  # fmt: skip


@pytest.fixture
def model(tmp_path):
    """Return a function that writes a network and its card."""

    def write(kind='logits', name='image', shape=(1, 1, 64, 96), dtype='float32', card=CARD):
        types = {
            'float32': TensorProto.FLOAT, 'uint8': TensorProto.UINT8, 'int32': TensorProto.INT32,
        }  # fmt: skip
        nodes, constants = [], []
        source = name
        if dtype != 'float32':
            nodes.append(helper.make_node('Cast', [source], ['cast'], to=TensorProto.FLOAT))
            nodes.append(helper.make_node('Sub', ['cast', 'middle'], ['centred']))
            constants.append(constant('middle', 127.5))
            source = 'centred'
        if shape[-1] == 1:
            axes = {'perm': [0, 3, 1, 2]}
            nodes.append(helper.make_node('Transpose', [source], ['rows'], **axes))
            source = 'rows'
        more, weights, outputs = head(kind, source)
        inputs = [helper.make_tensor_value_info(name, types[dtype], shape)]
        if kind == 'two inputs':
            inputs.append(helper.make_tensor_value_info('other', TensorProto.FLOAT, [1]))
        graph = helper.make_graph(
            [*nodes, *more], 'foreign',
            inputs,
            [helper.make_tensor_value_info(n, t, None) for n, t in outputs],
            [*constants, *weights],
        )  # fmt: skip
        opset = helper.make_opsetid('', 17)
        path = tmp_path / 'foreign.onnx'
        onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=9), path)
        replace(card, sha256=file_hash(path)).save(path.with_suffix('.yaml'))
        return str(path)

    return write


def assert_sees_the_bright(segmenter):
    mask = segmenter.segment(IMAGE)
    np.testing.assert_array_equal(mask.labels, IMAGE > 0)
    assert mask.confidence.min() > 250


@pytest.mark.parametrize('backend', BACKENDS)
def test_logits_that_look_like_probabilities_are_taken_as_the_card_says(model, backend):
    pytest.importorskip(backend)
    softmax = model('softmax', card=replace(CARD, scores='logits'))
    assert Segmenter.load(softmax, backend=backend).segment(IMAGE).confidence.max() < 0.75 * 255
    told = model('softmax', card=replace(CARD, scores='probabilities'))
    assert_sees_the_bright(Segmenter.load(told, backend=backend))


def test_a_card_that_names_other_scores_is_refused(model):
    with pytest.raises(ModelError, match=r"'odds' must be one of logits, probabilities"):
        Segmenter.load(model('logits', card=replace(CARD, scores='odds')))


@pytest.mark.parametrize('backend', BACKENDS)
@pytest.mark.parametrize('kind', KINDS)
def test_every_kind_of_output_is_understood(model, backend, kind):
    pytest.importorskip(backend)
    assert_sees_the_bright(Segmenter.load(model(kind), backend=backend))


@pytest.mark.parametrize('backend', BACKENDS)
@pytest.mark.parametrize(
    'given',
    [
        {'name': 'x'},
        {'dtype': 'uint8'},
        {'shape': ('batch', 1, 'height', 'width')},
        {'shape': (1, 64, 96, 1)},
        {'shape': (1, 64, 96, 1), 'dtype': 'uint8', 'name': 'frames'},
    ],
    ids=str,
)
def test_every_kind_of_input_is_given(model, backend, given):
    pytest.importorskip(backend)
    assert_sees_the_bright(Segmenter.load(model(**given), backend=backend))


@pytest.mark.parametrize('backend', BACKENDS)
@pytest.mark.parametrize(
    ('given', 'text'),
    [
        ({'kind': 'five classes'}, r'gives float32 \[1, 5, 64, 96\].*background, drone'),
        ({'kind': 'logit', 'card': replace(CARD, labels='penstock')}, 'corrosion, rivet, water'),
        ({'kind': 'NaN'}, 'NaN'),
        ({'kind': 'mask'}, 'class id|gives uint8'),
        ({'kind': 'two inputs'}, 'takes image, other'),
        ({'shape': ('batch', 1, 32, 32)}, r'takes input \['),
        ({'dtype': 'int32'}, 'takes int32'),
        ({'shape': (1, 1, 32, 32)}, r'takes input \[1, 1, 32, 32\]'),
    ],
    ids=str,
)
def test_what_cannot_be_understood_is_refused_when_it_is_loaded(model, backend, given, text):
    pytest.importorskip(backend)
    with pytest.raises(ModelError, match=text):
        Segmenter.load(model(**given), backend=backend)
