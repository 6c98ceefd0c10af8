"""The sentences of the validation study that hold no figure: they stay when a model is renewed."""

__all__ = ["DATA_WORDS", "LIMITATIONS", "METHODS", "OWN_STUDY", "PURPOSE", "REFERENCE"]

PURPOSE = """\
To estimate how well the shipped recipe tells the findings of the model on frontal chest radiographs
of patients that it has not learned from, how far its probabilities can be taken at their word, and
whether its maps and measures are what they seem. The intended use is decision support: a second
look for trained professionals, beside their own look at the radiograph and the clinical context.

It is a study of development with internal validation (a study of type 1b in the words of TRIPOD). No
hypothesis was stated in advance and no protocol was registered."""

DATA_WORDS = {
    "nih": (
        "NIH ChestX-ray14, frontal views, gathered from public copies; several images of some patients",
        "use unrestricted, attribution asked (Wang et al. 2017)",
    ),
    "effusion512": (
        "copies of NIH ChestX-ray14 with one label each, Effusion or No Finding; patients unknown",
        "as NIH ChestX-ray14",
    ),
    "nih64": (
        "NIH ChestX-ray14 in 64 pixels; teaches what can be seen in so few",
        "as NIH ChestX-ray14",
    ),
    "wingspan": (
        "another hospital, many enlarged hearts; cardiothoracic ratios and outlines by experts",
        "MIT license (Dong et al. 2018)",
    ),
    "jsrt": (
        "JSRT radiographs (Shiraishi et al. 2000) with the SCR outlines of lungs and heart",
        "for research; to be cited (van Ginneken et al. 2006)",
    ),
    "lungs": (
        "OpenIST and covid-chestxray-dataset with the v7labs masks; outlines of lungs",
        "each image by its own license, CC BY 4.0 for the masks",
    ),
}
"""Table -> what it is, and on which terms."""

REFERENCE = """\
The labels of NIH ChestX-ray14: findings mined by a program from radiology reports
(Wang et al. 2017). They are partly wrong, which lowers every figure and blurs differences; how often
was not measured here. Whoever wrote a report may have known the patient's history, which the model
does not. A finding that a report does not name counts as absent. "No Finding" means that none of the
collection's fourteen findings was named. Nobody read the radiographs again for this study, so there
is no agreement between readers to compare with.

Outlines are those that experts drew for the collections named above. The reference of the gate is the
sort of image, which is known from its source or made by turning, inverting or cutting a frontal
radiograph."""

METHODS = """\
All figures are computed by `medcxr.evaluation`, on calibrated probabilities of images whose patient
was held out.

- **Intervals.** {confidence}, percentiles of a bootstrap that draws patients with all their images
  ({n_bootstrap} resamples, seed {seed}): images of one patient are not independent (Field and Welsh
  2007; Efron and Tibshirani 1993, section 13.3). A resample that lost one of a finding's two classes is
  left out of its figures. A proportion of exactly 0 or 1 gets the exact binomial bound (Clopper and
  Pearson 1934).
- **Discrimination.** AUC, the area under the ROC curve, ties counting half (Hanley and McNeil 1982);
  average precision without interpolation (Manning et al. 2008, section 8.4). "Patients alike" weighs
  each image by one over the number of its patient's images.
- **Decisions.** Sensitivity, specificity, F1 and accuracy at thresholds that were chosen on other
  folds: Youden's index (Youden 1950), of equals the highest threshold.
- **Calibration.** Expected calibration error over ten bins of equal mass (Guo et al. 2017), Brier
  score (Brier 1950), slope and intercept of Cox's recalibration (Cox 1958; Van Calster et al. 2019).
  Candidates: Platt 1999; beta calibration (Kull et al. 2017); temperature (Guo et al. 2017); isotonic
  regression (Zadrozny and Elkan 2002).
- **Prediction sets.** Label-conditional conformal prediction (Vovk 2012).
- **Comparisons.** Differences in AUC on the same images, with a bootstrap that draws patients and
  DeLong's test (DeLong et al. 1988; Sun and Xu 2014), which takes images as independent.
- **Outlines.** Dice coefficients (Dice 1945), intraclass correlation in absolute agreement of single
  readings (Shrout and Fleiss 1979; McGraw and Wong 1996), the cardiothoracic ratio (Danzer 1919).
- **Maps.** Deletion and insertion (Petsiuk et al. 2018), the pointing game (Zhang et al. 2016), and
  the comparison with shuffled weights (Adebayo et al. 2018).
- **Missing labels.** An unknown label takes no part in any figure. No image was left out for its
  quality.

No figure was corrected for the number of comparisons. The number of radiographs was what there was;
no size was computed in advance."""

LIMITATIONS = """\
- **Internal validation only.** Patients are new, the collection is not. Other hospitals, devices and
  times were not measured, and figures elsewhere are usually lower.
- **The recipe was chosen on these patients.** Many runs were compared by their cross-validated
  figures before one was shipped, so its figures lean to the good side.
- **The recipe is measured, not the very networks that ship.** Each image was scored by the networks
  of one fold; those of several folds answer in the shipped model
  ([why](adr/0007-measure-the-recipe-ship-the-networks-of-the-folds.md)).
- **Weak reference standard.** Labels mined from reports, see above.
- **Confounding by collection.** Most examples of Pneumonia come from one collection, see above. The
  figures within one collection say less wrong things than those over all.
- **Spectrum.** A sample of convenience: how frequent the findings are in it is no clinic's frequency,
  and probabilities and predictive values change with the frequency.
- **Few examples** of some findings: intervals are wide, and those of subgroups wider.
- **Children.** Some measured radiographs are of patients under 18; the model is not for them.
- **No reader took part.** What the program does to a reader's decisions, and in how much time, was
  not measured.
- **No test of robustness** to noise, compression or other exposure beyond what the gate refuses."""

OWN_STUDY = """\
This page tells of one collection. How the model does on the radiographs of another hospital, only they
can tell, and figures there are usually lower. `medcxr validate` makes this study of a table of labeled
radiographs (`image_path`, `labels`, and `patient_id`, `view`, `age`, `sex`, `source` where known):

```sh
medcxr validate current TABLE.csv --out FOLDER
```

The folder then holds the report as `study.html` and `study.pdf`, and every figure as `study.json`. It has
the sections of this page but for the tests of outlines, maps and gate, which belong to the model and not to
a table, and adds curves, predictive values at other prevalences, net benefit, gaps between subgroups,
failures, simulated centres, drift and sample size. What stands beside what:

| Here | There |
| --- | --- |
| Data and terms; split and control of leakage | Data; What the model has seen |
| Reference standard | for you to write: the report cannot know how labels were made |
| Results; By subgroup | Ranking: ROC and precision-recall; Subgroups and gaps |
| Calibration; Operating points; Prediction sets | the same |
| Comparison | Non-inferiority, with `--reader FILE` |
| Limitations; checklists | the same, found by rule in your figures |

To see it at work before you have a table, validate simulated radiographs, whose figures say nothing of
patients:

```sh
medcxr sample-data SAMPLE
medcxr validate current SAMPLE/manifest.csv --out FOLDER
```

How to read the report, and all options: [the manual](user-manual.md#validate-a-model-on-your-own-radiographs).
How many radiographs such a study needs: `medcxr sample-size`."""
