"""What a device shall do: lifecycle table, queue, dispatch, in-doubt."""
