"""Images of 3.9 MB arrive, best effort, with the shipped Fast DDS profile."""

import subprocess
import sys

IMAGES = 40

LISTENER = """
import os, time
import rclpy
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from mav_perception.processes.fastdds_profile import use_shipped_profile

use_shipped_profile(os.environ)
rclpy.init()
node = rclpy.create_node('listener')
arrived = []
node.create_subscription(
    Image, 'camera/image_raw', lambda image: arrived.append(len(image.data)),
    qos_profile_sensor_data,
)
deadline = time.monotonic() + 40.0
while time.monotonic() < deadline and len(arrived) < IMAGES:
    rclpy.spin_once(node, timeout_sec=0.2)
print(arrived.count(1024 * 1280 * 3))
"""

CAMERA = """
import array, os, time
import rclpy
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from mav_perception.processes.fastdds_profile import use_shipped_profile

use_shipped_profile(os.environ)
rclpy.init()
node = rclpy.create_node('camera')
publisher = node.create_publisher(Image, 'camera/image_raw', qos_profile_sensor_data)
image = Image(height=1024, width=1280, encoding='rgb8', step=3 * 1280)
image.data = array.array('B', bytes(1024 * 1280 * 3))
while not publisher.get_subscription_count():
    time.sleep(0.1)
time.sleep(1.0)
for _ in range(IMAGES):
    publisher.publish(image)
    time.sleep(0.2)
time.sleep(2.0)
"""


def test_every_image_of_3_9_megabytes_arrives():
    programs = [f'IMAGES = {IMAGES}\n{text}' for text in (LISTENER, CAMERA)]
    listener, camera = (
        subprocess.Popen([sys.executable, '-c', text], stdout=subprocess.PIPE, text=True)
        for text in programs
    )
    try:
        assert listener.communicate(timeout=60.0)[0].strip() == str(IMAGES)
    finally:
        for process in (listener, camera):
            process.kill()
            process.communicate()
