"""segmentation_node alone: image in, mask out, bad input named."""

import threading

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import State
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Float32MultiArray, Header

from mav_perception.ros.messages.conversions import array_to_image, image_to_array, ns_to_stamp
from mav_perception.ros.nodes.segmentation_node import SegmentationNode


def picture(stamp_ns=5_000_000_001, shape=(120, 161)):
    pixels = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    header = Header(stamp=ns_to_stamp(stamp_ns), frame_id='mav1/camera_optical')
    return array_to_image(pixels, header)


def test_mask_and_confidence_have_size_stamp_and_frame_of_the_image(bench):
    bench.start(SegmentationNode)
    masks = bench.collect(Image, '/mav1/segmentation/mask')
    confidences = bench.collect(Image, '/mav1/segmentation/confidence')
    image = picture()
    bench.publisher(Image, '/mav1/camera/image_raw', qos_profile_sensor_data).publish(image)
    assert bench.until(lambda: masks and confidences)
    for message in (masks[0], confidences[0]):
        assert message.encoding == 'mono8'
        assert (message.height, message.width) == (120, 161)
        assert message.header == image.header
    assert set(np.unique(image_to_array(masks[0]))) <= {0, 1}


def test_a_broken_image_is_named_and_the_next_one_is_used(bench):
    bench.start(SegmentationNode)
    masks = bench.collect(Image, '/mav1/segmentation/mask')
    diagnostics = bench.collect(DiagnosticArray, '/diagnostics')
    publisher = bench.publisher(Image, '/mav1/camera/image_raw', qos_profile_sensor_data)
    broken = picture()
    broken.height = 999
    publisher.publish(broken)
    assert bench.problem(diagnostics, 'step')
    assert not masks
    publisher.publish(picture())
    assert bench.until(lambda: masks)


def test_inspection_paints_the_image_and_tells_the_areas(bench):
    bench.start(SegmentationNode, 'inspect:=true')
    overlays = bench.collect(Image, '/mav1/segmentation/overlay')
    shares = bench.collect(Float32MultiArray, '/mav1/segmentation/area_shares')
    masks = bench.collect(Image, '/mav1/segmentation/mask')
    diagnostics = bench.collect(DiagnosticArray, '/diagnostics')
    image = picture()
    bench.publisher(Image, '/mav1/camera/image_raw', qos_profile_sensor_data).publish(image)
    assert bench.until(lambda: overlays and shares and masks)
    assert overlays[0].encoding == 'rgb8'
    assert overlays[0].header == image.header
    assert shares[0].layout.dim[0].label == 'background drone'
    drone = float((image_to_array(masks[0]) == 1).mean())
    np.testing.assert_allclose(shares[0].data, [1.0 - drone, drone], atol=1e-6)
    assert bench.until(
        lambda: any(
            value.key == 'area share of drone'
            for message in diagnostics
            for status in message.status
            for value in status.values
        )
    )


def test_missing_weights_leave_the_node_up_with_the_fix_on_diagnostics(bench):
    node = bench.start(SegmentationNode, 'model:=nonsense')
    diagnostics = bench.collect(DiagnosticArray, '/diagnostics')
    assert bench.problem(diagnostics, "No weights file for model 'nonsense'")
    assert node._state_machine.current_state[0] == State.PRIMARY_STATE_UNCONFIGURED
    node.set_parameters([Parameter('model', value='sim')])
    node.trigger_configure()
    node.trigger_activate()
    assert node._state_machine.current_state[0] == State.PRIMARY_STATE_ACTIVE


def test_without_autostart_it_waits_for_the_lifecycle(bench):
    node = bench.start(SegmentationNode, 'autostart:=false')
    assert not bench.until(lambda: node.segmentation, timeout=1.0)
    node.trigger_configure()
    assert node.segmentation is not None
    node.trigger_activate()
    node.trigger_deactivate()
    node.trigger_cleanup()
    assert node.segmentation is None


def test_parameters_cannot_change_under_a_running_model(bench):
    node = bench.start(SegmentationNode)
    assert bench.until(lambda: node._running)
    result = node.set_parameters([Parameter('model', value='drone')])[0]
    assert not result.successful
    assert 'deactivate' in result.reason


def test_a_failed_activation_releases_everything_and_can_be_tried_again(bench, monkeypatch):
    node = bench.start(SegmentationNode, 'autostart:=false')
    node.trigger_configure()
    with monkeypatch.context() as broken:
        broken.setattr(node.diagnostics, 'watch', lambda *_: 1 / 0)
        node.trigger_activate()
    assert node.segmentation is None
    assert not any(thread.name == 'frame_worker' for thread in threading.enumerate())
    node.trigger_configure()
    node.trigger_activate()
    assert node._running


def test_misspelt_parameters_are_reported(bench):
    bench.start(SegmentationNode, 'modle:=sim')
    diagnostics = bench.collect(DiagnosticArray, '/diagnostics')
    assert bench.problem(diagnostics, "'modle'")
