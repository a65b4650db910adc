"""What depends on the machine: GPU memory, torch's errors, precision, torchvision."""
