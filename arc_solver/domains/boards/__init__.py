"""What puzzles of one board share: sets of boards, their files, their examples."""
