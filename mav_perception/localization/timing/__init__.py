"""Order of time: late messages, and frames that wait for odometry."""
