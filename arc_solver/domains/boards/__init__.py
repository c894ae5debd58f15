"""What puzzles of a single board share: sets of boards, their files, their examples."""
