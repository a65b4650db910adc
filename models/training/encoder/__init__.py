"""Training of the slim encoder by distillation from VGG16."""
