"""What a process tells about itself: metrics, whether it lives, whether it is ready."""
