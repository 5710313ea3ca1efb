"""FPGA boards on USB: what a sentry of kind `board` drives."""
