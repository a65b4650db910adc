"""Tests of what runs the bot: the systemd unit and the container."""
