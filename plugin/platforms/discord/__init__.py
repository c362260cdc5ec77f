"""Discord: the channels, threads and forums of servers, read by asking and answered by a bot."""
