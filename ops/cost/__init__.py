"""What the shared design costs against a separate one, and where each account limit is reached."""
