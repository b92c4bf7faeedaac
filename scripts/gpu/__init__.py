"""What scripts/gpu_report is made of."""
