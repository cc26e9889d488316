"""Pictures, videos and sound in and out: exact time, upright sRGB frames, files that are whole or not there."""
