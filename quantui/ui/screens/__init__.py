"""The screens: the monitor and its help."""
