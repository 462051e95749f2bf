"""Do strikes fall near protected sites more often than baseline strike intensity predicts?"""
