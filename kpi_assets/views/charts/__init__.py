"""Drawing machinery: a chart for a canvas in, SVG and PNG out. What a chart shows is the views' business."""
