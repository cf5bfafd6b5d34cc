"""The overlay is painted while somebody looks, and only then; views name topics that exist."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from mav_perception import topics as names
from mav_perception.ros.messages.conversions import array_to_image, image_to_array, ns_to_stamp
from mav_perception.ros.nodes.overlay_node import OverlayNode

CONFIG = Path(__file__).parents[2] / 'config'


def test_masks_are_painted_into_their_images_while_somebody_looks(bench):
    bench.start(OverlayNode, 'image_qos:=reliable')
    image = bench.tester.create_publisher(Image, '/mav1/camera/image_raw', 5)
    mask = bench.tester.create_publisher(Image, '/mav1/segmentation/mask', 5)
    bench.until(lambda: False, timeout=1.5)
    assert image.get_subscription_count() == 0  # nobody looks: no image is read
    overlays = bench.collect(Image, '/mav1/segmentation/overlay')
    assert bench.until(lambda: image.get_subscription_count() and mask.get_subscription_count())
    pixels, labels = np.full((20, 30), 100, np.uint8), np.zeros((20, 30), np.uint8)
    labels[5:9, 6:12] = 1
    for stamp, other in ((10**9, labels), (2 * 10**9, labels[:9]), (3 * 10**9, labels)):
        header = Header(stamp=ns_to_stamp(stamp))
        image.publish(array_to_image(pixels, header))
        bench.until(lambda: False, timeout=0.2)
        mask.publish(array_to_image(other, header))
    assert bench.until(lambda: len(overlays) == 2)  # a mask of another size is reported instead
    painted = image_to_array(overlays[0])
    assert painted.shape == (20, 30, 3)
    assert painted[0, 0].tolist() == [100, 100, 100]
    assert painted[6, 7].tolist() != [100, 100, 100]


def test_views_show_topics_that_the_nodes_publish():
    known = {
        f'/mav{k}/{topic}'
        for k in range(1, 5)
        for topic in (names.POSE, names.ASSOCIATIONS, names.OVERLAY)
    } | {f'/{names.MARKERS}'}
    rviz = yaml.safe_load((CONFIG / 'rviz/team.rviz').read_text())
    displays = rviz['Visualization Manager']['Displays']
    shown = {display['Topic']['Value'] for display in displays if 'Topic' in display}
    assert shown == known
    foxglove = (CONFIG / 'foxglove/team.json').read_text()
    layout = json.loads(foxglove)
    assert set(re.findall(r'"(/[\w/]+)"', foxglove)) == known | {names.DIAGNOSTICS}
    placed = re.findall(r'"(\w+!\w+)"', json.dumps(layout['layout']))
    assert sorted(placed) == sorted(layout['configById'])


def test_foxglove_knows_every_setting_of_the_layout():
    layouts = pytest.importorskip('foxglove.layouts', reason='foxglove-sdk is not installed')

    def built(kind, settings):
        """Build the SDK's own type, which refuses a name that Foxglove does not know."""
        return kind(**{re.sub('([A-Z])', r'_\1', k).lower(): v for k, v in settings.items()})

    configs = json.loads((CONFIG / 'foxglove/team.json').read_text())['configById']
    kinds = {
        '3D': layouts.ThreeDeeConfig,
        'Image': layouts.ImageConfig,
        'DiagnosticSummary': layouts.DiagnosticsSummaryConfig,
    }
    for panel, config in configs.items():
        built(kinds[panel.split('!')[0]], config)
    for panel in (name for name in configs if name.startswith('Image')):
        built(layouts.ImageModeConfig, configs[panel]['imageMode'])
    for topic, settings in configs['3D!team']['topics'].items():
        kind = {
            names.POSE: layouts.BaseRendererPoseTopicSettings,
            names.ASSOCIATIONS: layouts.BaseRendererPointCloudTopicSettings,
            'markers': layouts.BaseRendererRosMarkerTopicSettings,
        }[topic.split('/', 2)[2]]
        built(kind, settings)
    for settings in configs['3D!team']['layers'].values():
        built(layouts.BaseRendererGridLayerSettings, settings)
    with pytest.raises(TypeError):
        built(layouts.ThreeDeeConfig, {'followTF': 'map'})
