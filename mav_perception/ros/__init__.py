"""The ROS 2 shell: nodes that convert, call the core, convert and publish."""
