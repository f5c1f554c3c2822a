"""Makes the files of this directory. See README.md."""

import base64
import io
import os
from email.message import EmailMessage

from docx import Document
from ebooklib import epub
from odf import meta, dc, opendocument, table, text
from openpyxl import Workbook
from PIL import Image, ImageDraw, ImageFont
from pptx import Presentation
from pptx.util import Inches
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

HERE = os.path.dirname(os.path.abspath(__file__))


def here(name):
    return os.path.join(HERE, name)


def picture():
    image = Image.new("L", (900, 220), 255)
    font = ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", 48)
    draw = ImageDraw.Draw(image)
    draw.text((40, 30), "The grant comes first.", font=font, fill=0)
    draw.text((40, 120), "Invoice number 4711", font=font, fill=0)
    return image


image = picture()
image.save(here("words.png"), optimize=True)
image.save(here("words.jpg"), quality=60)
image.save(here("words.tif"), compression="tiff_lzw")
image.convert("1").save(here("words.bmp"))
image.save(here("words.gif"))
image.save(here("words.webp"), quality=50)


def pdf(name, **options):
    page = canvas.Canvas(here(name), pagesize=A4, invariant=1, **options)
    page.setTitle("House rules")
    page.setAuthor("A. Keeper")
    page.drawString(72, 760, "Quiet hours begin at ten.")
    page.drawString(72, 740, "Über alles gibt es eine Liste.")
    page.showPage()
    page.drawImage(ImageReader(image), 72, 600, width=450, height=110)
    page.showPage()
    page.drawString(72, 760, "The third page has words again.")
    page.showPage()
    page.save()


pdf("rules.pdf")
pdf("encrypted.pdf", encrypt="secret")

document = Document()
document.core_properties.title = "The manual"
document.core_properties.author = "A. Keeper"
document.add_heading("Heating", 1)
document.add_paragraph("The boiler is in the cellar.")
document.add_heading("Valves", 2)
document.add_paragraph("Turn left to open.", style="List Bullet")
grid = document.add_table(2, 2)
for row, cells in enumerate([("Valve", "Room"), ("A", "Kitchen & hall")]):
    for column, cell in enumerate(cells):
        grid.cell(row, column).text = cell
document.add_heading("Water", 1)
document.add_paragraph("The main tap is outside.")
document.save(here("manual.docx"))

slides = Presentation()
slides.core_properties.title = "The plan"
for title, words in [("Why", "Because it leaks"), ("How", "With a new roof")]:
    slide = slides.slides.add_slide(slides.slide_layouts[1])
    slide.shapes.title.text = title
    slide.placeholders[1].text = words
grid = slides.slides[1].shapes.add_table(1, 2, Inches(1), Inches(4), Inches(4), Inches(1)).table
grid.cell(0, 0).text, grid.cell(0, 1).text = "Tiles", "400"
slides.save(here("plan.pptx"))

book = Workbook()
book.properties.title = "Accounts"
first = book.active
first.title = "Costs"
first.append(["Item", "Price", "Paid"])
first.append(["Paint", 12.5, True])
first.append([None, 3, False])
second = book.create_sheet("Dates")
import datetime

second["B2"] = datetime.date(2026, 11, 25)
second["C2"] = datetime.datetime(2026, 11, 25, 16, 30)
book.create_sheet("Empty")
book.save(here("accounts.xlsx"))

letter = opendocument.OpenDocumentText()
letter.meta.addElement(dc.Title(text="The letter"))
letter.text.addElement(text.H(outlinelevel=1, text="Dear reader"))
letter.text.addElement(text.P(text="The roof is done."))
grid = table.Table(name="t")
row = table.TableRow()
for cell in ["Tiles", "398"]:
    inner = table.TableCell()
    inner.addElement(text.P(text=cell))
    row.addElement(inner)
grid.addElement(row)
letter.text.addElement(grid)
letter.save(here("letter.odt"))

novel = epub.EpubBook()
novel.set_identifier("omni-test")
novel.set_title("The novel")
novel.set_language("en")
novel.add_author("A. Writer")
chapters = []
for n, words in enumerate(["It rained.", "It stopped."], 1):
    chapter = epub.EpubHtml(title=f"Chapter {n}", file_name=f"chapter {n}.xhtml", lang="en")
    chapter.content = f"<h1>Chapter {n}</h1><p>{words}</p>"
    novel.add_item(chapter)
    chapters.append(chapter)
novel.toc = chapters
novel.add_item(epub.EpubNcx())
novel.spine = chapters
epub.write_epub(here("novel.epub"), novel)

mail = EmailMessage()
mail["From"] = "Anna Keeper <anna@example.org>"
mail["To"] = "Bert <bert@example.org>"
mail["Subject"] = "Schlüssel"
mail["Date"] = "Wed, 25 Nov 2026 16:00:00 +0000"
mail.set_content("The key is under the mat.\nGrüße, Anna\n")
mail.add_alternative("<p>The key is under the mat.</p>", subtype="html")
mail.add_attachment(b"secret", maintype="application", subtype="octet-stream", filename="plan.bin")
with open(here("key.eml"), "wb") as file:
    file.write(bytes(mail))
