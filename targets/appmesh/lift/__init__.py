"""What files of App Mesh mean: read whole, then told as a mesh. Written without looking at what emits them."""
