"""The job door: RQ job class and queue, thin jobs, the sweeper and the supervisor."""
