"""Everything outside the process, as plain classes without Dagster."""
