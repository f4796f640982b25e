"""The policies that ship with the product: packs of ready claims and rules, and complete examples."""
