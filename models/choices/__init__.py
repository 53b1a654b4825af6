"""What a spec chooses from by name, a row each: discretizations, initial spectra, links; and how names and fields are checked."""
