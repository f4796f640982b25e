"""What is a resource of App Mesh."""

from __future__ import annotations

from meshproof.targets.appmesh.model.gateway_route import GatewayRoute
from meshproof.targets.appmesh.model.mesh import Mesh
from meshproof.targets.appmesh.model.route import Route
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.model.virtual_router import VirtualRouter
from meshproof.targets.appmesh.model.virtual_service import VirtualService

Value = Mesh | VirtualNode | VirtualService | VirtualRouter | Route | VirtualGateway | GatewayRoute
"""A resource of App Mesh."""
