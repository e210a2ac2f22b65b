"""Line and cell magics: parse one line, call one function."""
