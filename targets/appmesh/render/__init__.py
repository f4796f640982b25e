"""Resources of App Mesh as the documents that people apply: a template of CloudFormation, objects of its controller."""
