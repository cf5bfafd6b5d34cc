"""Visual-inertial odometry: the path of every drone, and the noise that it adds."""
