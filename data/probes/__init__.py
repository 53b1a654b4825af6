"""Probes of memory and capacity: small tasks made afresh in every epoch."""
