"""Inference backends: what runs the network's weights. ONNX Runtime runs everywhere.

`auto` takes OpenVINO where it is installed on an Intel CPU, ONNX Runtime elsewhere. ONNX Runtime
itself takes the best device that is installed, so `onnxruntime-gpu` with TensorRT on a Jetson
needs no setting; a device that is asked for by name and not there is an error, never a slow CPU.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from mav_perception.errors import ModelError
from mav_perception.segmentation.backend import Backend, check_device
from mav_perception.segmentation.model_card import ModelCard
from mav_perception.segmentation.network_signature import fixed_input
from mav_perception.segmentation.torch_backend import TorchBackend

PROVIDERS = {
    'tensorrt': 'TensorrtExecutionProvider',
    'cuda': 'CUDAExecutionProvider',
    'cpu': 'CPUExecutionProvider',
}
"""Devices of ONNX Runtime, the best one first."""

DEVICES = ('auto', *PROVIDERS)


class OnnxRuntimeBackend(Backend):
    """ONNX Runtime on a device, or on the best one that is installed."""

    def __init__(self, path: Path, card: ModelCard, threads: int, device: str = 'auto') -> None:
        """Load the weights and check their shapes against the card."""
        super().__init__(card)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Idle inference threads must not spin: on a drone the other nodes need those cores.
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        providers = installed_providers(device)
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        except Exception as error:  # onnxruntime raises a class per status code
            raise ModelError(
                f'{path} is not a network that ONNX Runtime can load: {error}'
            ) from error
        found = self._session.get_providers()[0]
        if device != 'auto' and found != PROVIDERS[device]:
            raise ModelError(
                f'ONNX Runtime could not start {PROVIDERS[device]} and would use {found}: check '
                'the driver, CUDA and TensorRT libraries, or set device to auto.'
            )
        provider = self._session.get_providers()[0].removesuffix('ExecutionProvider')
        self.description = f'ONNX Runtime {onnxruntime.__version__} {provider}, {threads} threads'
        first = self._session.get_inputs()[0]
        dtype = first.type.removeprefix('tensor(').removesuffix(')')
        dtype = 'float32' if dtype == 'float' else dtype
        names = [given.name for given in self._session.get_inputs()]
        self._understand(path, names, list(first.shape), dtype)

    def _run(self, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        try:
            return self._session.run(None, inputs)
        except Exception as error:  # onnxruntime raises a class per status code
            raise ModelError(f'The network cannot be run: {error}') from error


class OpenVinoBackend(Backend):
    """OpenVINO on the CPU, in bfloat16 if the processor multiplies that."""

    def __init__(
        self,
        path: Path,
        card: ModelCard,
        threads: int,
        device: str = 'auto',
        precision: str = 'fastest',
    ) -> None:
        """Compile the weights; `precision` is 'float32', 'bfloat16' or 'fastest' of the two."""
        import openvino

        super().__init__(card)
        check_device('openvino', device, ('auto', 'cpu'))
        core = openvino.Core()
        able = 'BF16' in core.get_property('CPU', 'OPTIMIZATION_CAPABILITIES')
        half = precision == 'bfloat16' or (precision == 'fastest' and able)
        settings: dict[str, Any] = {'INFERENCE_NUM_THREADS': threads, 'NUM_STREAMS': 1}
        try:
            model = core.read_model(str(path))
            if model.is_dynamic() and not card.hidden:
                axes = [
                    a.get_length() if a.is_static else -1 for a in model.input(0).partial_shape
                ]
                model.reshape(fixed_input(path, axes, card))
            # Weights of 8 bits and bfloat16 do not go together.
            half = half and not any(op.get_type_name() == 'FakeQuantize' for op in model.get_ops())
            settings['INFERENCE_PRECISION_HINT'] = 'bf16' if half else 'f32'
            compiled = core.compile_model(model, 'CPU', settings)
        except RuntimeError as error:
            raise ModelError(f'{path} is not a network that OpenVINO can load: {error}') from error
        self._request = compiled.create_infer_request()
        version = openvino.__version__.split('-')[0]
        kind = 'bfloat16' if half else 'float32'
        self.description = f'OpenVINO {version} CPU {kind}, {threads} threads'
        first = compiled.input(0)
        dtype = np.dtype(first.element_type.to_dtype()).name
        names = [given.any_name for given in compiled.inputs]
        self._understand(path, names, list(first.shape), dtype)

    def _run(self, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        try:
            return list(self._request.infer(inputs).values())
        except RuntimeError as error:
            raise ModelError(f'The network cannot be run: {error}') from error


BACKENDS: dict[str, tuple[str, Callable[[Path, ModelCard, int, str], Backend]]] = {
    'onnxruntime': ('onnxruntime', OnnxRuntimeBackend),
    'openvino': ('openvino', OpenVinoBackend),
    'torch': ('torch', TorchBackend),
}
"""Name -> the module it needs, and what opens it."""


def installed_providers(device: str) -> list[str]:
    """Return the providers of ONNX Runtime for a device, or all for 'auto', the best one first."""
    available = onnxruntime.get_available_providers()
    wanted = PROVIDERS if device == 'auto' else {device: PROVIDERS[device]}
    providers = [provider for provider in wanted.values() if provider in available]
    if not providers:
        raise ModelError(
            f'ONNX Runtime here has no {PROVIDERS[device]}, only {", ".join(available)}: install '
            'onnxruntime-gpu (on a Jetson the wheel of NVIDIA), or set device to auto.'
        )
    return providers


def open_backend(
    name: str, path: Path, card: ModelCard, threads: int, device: str = 'auto'
) -> Backend:
    """Open a backend by name, or the fastest one here for 'auto'.

    Raises:
        ModelError: unknown or not installed backend or device, or a file that it cannot load.
    """
    check_device('mav_perception', device, DEVICES)
    if name == 'auto':
        openvino = device in ('auto', 'cpu') and bool(importlib.util.find_spec('openvino'))
        openvino = openvino and _on_intel()
        name = 'openvino' if openvino else 'onnxruntime'
    if name not in BACKENDS:
        raise ModelError(f'Unknown backend {name!r}: use auto, {", ".join(BACKENDS)}.')
    module, backend = BACKENDS[name]
    if importlib.util.find_spec(module) is None:
        raise ModelError(f'Backend {name!r} needs `pip install {module}`, or choose auto.')
    return backend(path, card, threads, device)


def _on_intel() -> bool:
    information = Path('/proc/cpuinfo')
    return information.is_file() and 'GenuineIntel' in information.read_text()
