"""The subcommands of `mav-perception`, one file each."""
