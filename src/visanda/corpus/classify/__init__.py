"""What training, evaluating, applying and explaining rest on."""
