"""The cone beam and the Beer-Lambert law against formulas of the textbook."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.core.errors import DataError
from medcxr.core.images import View
from medcxr.synthetic import Position, ThoraxParameters
from medcxr.synthetic.projection import CHEST_SID_MM, ConeBeam, Material, attenuation, transmission
from medcxr.synthetic.tubes import Tube, add_tube, segments_mm


@given(
    thickness=st.floats(0, 400),
    kvp=st.floats(60, 140),
    material=st.sampled_from((Material.SOFT_TISSUE, Material.BONE)),
)
def test_a_slab_lets_through_exp_of_minus_coefficient_times_thickness(thickness, kvp, material):
    slab = np.full((2, 3), thickness, np.float32)

    passed = transmission({material: slab}, kvp)

    expected = np.exp(-attenuation(material, kvp) * thickness)
    np.testing.assert_allclose(passed, expected, rtol=2e-4)


def test_slabs_behind_one_another_multiply():
    soft, bone = np.full((2, 2), 120, np.float32), np.full((2, 2), 9, np.float32)

    both = transmission({Material.SOFT_TISSUE: soft, Material.BONE: bone}, 110)

    alone = transmission({Material.SOFT_TISSUE: soft}, 110) * transmission(
        {Material.BONE: bone}, 110
    )
    np.testing.assert_allclose(both, alone, rtol=1e-5)


def test_the_coefficient_at_60_kev_is_that_of_the_published_table():
    # NIST, ICRU-44: soft tissue 0.2048 cm2/g x 1.06 g/cm3, cortical bone 0.3148 x 1.92
    at_60_kev = 60 / 0.45

    assert attenuation(Material.SOFT_TISSUE, at_60_kev) == pytest.approx(0.02171, rel=2e-3)
    assert attenuation(Material.BONE, at_60_kev) == pytest.approx(0.06044, rel=2e-3)


def test_no_material_is_refused():
    with pytest.raises(DataError, match="No material"):
        transmission({}, 110)


@pytest.mark.parametrize("view", [View.PA, View.AP])
def test_magnification_is_source_distance_over_object_distance(view):
    patient = ThoraxParameters(view=view)
    beam = ConeBeam(parameters=patient, size=64)
    source = CHEST_SID_MM[view]

    front, back = beam.magnification(np.array([90.0, -90.0]))

    nearer, farther = (front, back) if view is View.PA else (back, front)
    assert 1 < nearer < farther
    # two depths 180 mm apart: their distances from the source differ by just that
    assert source / nearer - source / farther == pytest.approx(180)


def test_the_heart_is_enlarged_more_than_the_lungs_only_in_an_ap_view():
    beams = [ConeBeam(parameters=ThoraxParameters(view=v), size=64) for v in (View.PA, View.AP)]
    pa, ap = (float(b.magnification(28.0) / b.magnification(0.0)) for b in beams)

    assert pa < 1 < ap


@given(
    x=st.floats(-150, 150),
    y=st.floats(-50, 300),
    z=st.floats(-90, 90),
    position=st.builds(
        Position,
        field_mm=st.just(600.0),
        roll_deg=st.floats(-10, 10),
        yaw_deg=st.floats(-8, 8),
        shift_mm=st.tuples(st.floats(-20, 20), st.floats(-20, 20)),
    ),
)
def test_a_projected_point_is_seen_by_the_pixel_it_falls_on(x, y, z, position):
    beam = ConeBeam(parameters=replace(ThoraxParameters(), position=position), size=300)

    row, column = beam.project(np.array([[x, y, z]]))[0]

    seen_x, seen_y = beam.at_depth(z)
    at = int(np.clip(row, 0, 299)), int(np.clip(column, 0, 299))
    assert abs(seen_x[at] - x) < 2.5  # a pixel is 2 mm
    assert abs(seen_y[at] - y) < 2.5


def test_the_ray_through_the_middle_of_a_tube_is_as_long_as_its_diameter():
    beam = ConeBeam(parameters=ThoraxParameters(), size=400)
    points = np.array([[-60.0, 100, 0], [60, 100, 0]])
    tube = Tube(points=points, radius_mm=np.full(2, 12.0))

    chords = np.zeros((400, 400), np.float32)
    add_tube(chords, beam, tube)
    at_once = segments_mm(beam, points[:1], points[1:], np.array([12.0]))

    row, column = beam.project(np.array([[0.0, 100, 0]]))[0].astype(int)
    assert chords[row, column] == pytest.approx(24, rel=0.01)
    np.testing.assert_allclose(at_once, chords, atol=0.01)


def test_a_ray_half_a_radius_off_the_middle_has_the_chord_of_a_circle():
    beam = ConeBeam(parameters=ThoraxParameters(), size=800)
    tube = Tube(points=np.array([[-60.0, 100, 0], [60, 100, 0]]), radius_mm=np.full(2, 20.0))

    chords = np.zeros((800, 800), np.float32)
    add_tube(chords, beam, tube)

    row, column = beam.project(np.array([[0.0, 110, 0]]))[0].astype(int)
    assert chords[row, column] == pytest.approx(2 * np.sqrt(20**2 - 10**2), rel=0.02)


def test_a_hollow_tube_is_brightest_at_its_walls():
    beam = ConeBeam(parameters=ThoraxParameters(), size=800)
    line = np.array([[-60.0, 100, 0], [60, 100, 0]])
    tube = Tube(points=line, radius_mm=np.full(2, 20.0), wall_mm=3.0)

    chords = np.zeros((800, 800), np.float32)
    add_tube(chords, beam, tube)

    center, wall = beam.project(np.array([[0.0, 100, 0], [0.0, 117, 0]])).astype(int)
    assert chords[tuple(center)] == pytest.approx(6, rel=0.01)
    assert chords[tuple(wall)] > 2 * chords[tuple(center)]
