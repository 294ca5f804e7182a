"""The loss around a point: curvature, sharpness, surfaces, paths.

>>> from landscape import measure_sharpness, top_eigenvalues, loss_surface
"""

from typing import TYPE_CHECKING

from minima.store.doors import door

if TYPE_CHECKING:
    from landscape.hessian.door import SpectralDensity as SpectralDensity
    from landscape.hessian.door import TopEigenvalues as TopEigenvalues
    from landscape.hessian.door import TraceEstimate as TraceEstimate
    from landscape.hessian.door import hessian_trace as hessian_trace
    from landscape.hessian.door import spectral_density_of as spectral_density_of
    from landscape.hessian.door import top_eigenvalues as top_eigenvalues
    from landscape.objective.handed import Where as Where
    from landscape.objective.objective import Objective as Objective
    from landscape.path.door import LossPath as LossPath
    from landscape.path.door import loss_path as loss_path
    from landscape.sharpness.door import SharpnessResult as SharpnessResult
    from landscape.sharpness.door import measure_sharpness as measure_sharpness
    from landscape.sharpness.measure import Measured as Measured
    from landscape.surface.door import LossSurface as LossSurface
    from landscape.surface.door import loss_surface as loss_surface
    from landscape.survivors.door import SurvivorCurvature as SurvivorCurvature
    from landscape.survivors.door import survivor_curvature as survivor_curvature

HOMES = {
    "LossPath": "landscape.path.door",
    "LossSurface": "landscape.surface.door",
    "Measured": "landscape.sharpness.measure",
    "Objective": "landscape.objective.objective",
    "SharpnessResult": "landscape.sharpness.door",
    "SpectralDensity": "landscape.hessian.door",
    "SurvivorCurvature": "landscape.survivors.door",
    "TopEigenvalues": "landscape.hessian.door",
    "TraceEstimate": "landscape.hessian.door",
    "Where": "landscape.objective.handed",
    "hessian_trace": "landscape.hessian.door",
    "loss_path": "landscape.path.door",
    "loss_surface": "landscape.surface.door",
    "measure_sharpness": "landscape.sharpness.door",
    "spectral_density_of": "landscape.hessian.door",
    "survivor_curvature": "landscape.survivors.door",
    "top_eigenvalues": "landscape.hessian.door",
}
"""public name -> the module that defines it"""

__all__ = [*HOMES]  # noqa: PLE0604 (strings they are)
__getattr__, __dir__ = door(__name__, HOMES)
