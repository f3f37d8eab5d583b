"""volumemodel: from prints of several days to the volume curves that engines forecast with."""
